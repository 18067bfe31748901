"""Real images pass; blank frames, noise, dots and colour photographs do not."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data as photos

from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume
from isocenter.imaging.quality import check_image


def picture(array: np.ndarray) -> Volume:
    return Volume(array[None], Grid.of_pixels((1, *array.shape[:2])))


def failed(volume: Volume, **options) -> set[str]:
    return {check.name for check in check_image(volume, **options) if not check.passed}


def anatomy(shape: tuple[int, int] = (200, 240)) -> np.ndarray:
    """Something smooth with texture, as a scanner makes it."""
    rng = np.random.default_rng(0)
    coarse = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 8)
    fine = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 1.2)
    mixed = coarse / coarse.std() + 0.4 * fine / fine.std()
    return np.clip(mixed * 40 + 110, 0, 255).astype(np.uint8)


NOISE = np.random.default_rng(1)
WRONG = {
    "black": (np.zeros((200, 200), np.uint8), "blank"),
    "white": (np.full((200, 200), 255, np.uint8), "blank"),
    "one level of sixteen bits": (np.full((64, 64), 1234, np.int16), "gray-levels"),
    "noise": (NOISE.integers(0, 255, (200, 200)).astype(np.uint8), "structure"),
    "noise of 28 pixels": (NOISE.integers(0, 255, (28, 28)).astype(np.uint8), "structure"),
    "an empty detector": ((1000 + NOISE.normal(0, 5, (200, 200))).astype(np.int16), "structure"),
    "one pixel": (np.zeros((1, 1), np.uint8), "size"),
    "a strip": (np.zeros((4, 4000), np.uint8), "size"),
    "words on black": (cv2.putText(np.zeros((400, 600), np.uint8), "NO SIGNAL", (200, 200), 0, 1, 255, 1), "blank"),
    "a drawing in two levels": ((anatomy() > 110).astype(np.uint8), "gray-levels"),
    "a ramp": (np.tile(np.arange(200, dtype=np.uint8), (200, 1)), "sharpness"),
    "burnt out": (np.where(anatomy() > 90, 255, anatomy()).astype(np.uint8), "clipping"),
    "NaN": (np.where(anatomy() > 200, np.nan, anatomy()), "finite"),
    "a cat": (photos.chelsea(), "colour"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_medical_image_fails(name: str):
    array, check = WRONG[name]
    assert check in failed(picture(array))


def test_what_looks_like_one_passes_at_any_size_and_depth():
    for size in (28, 64, 200, 1000):
        small = cv2.resize(anatomy(), (size, size), interpolation=cv2.INTER_AREA)
        assert failed(picture(small)) == set(), size
        assert failed(picture(small.astype(np.int16) * 8 - 1000)) == set(), size
        assert failed(picture(small.astype(np.float32) / 255)) == set(), size


def test_colour_may_be_what_the_task_reads():
    assert "colour" not in failed(picture(photos.chelsea()), gray_expected=False)
    gray = np.repeat(anatomy()[..., None], 3, axis=2)
    assert failed(picture(gray)) == set()


def test_a_tint_over_gray_is_no_colour():
    sepia = np.rint(anatomy()[..., None] * np.array((1.0, 0.8, 0.5))).astype(np.uint8)
    assert failed(picture(sepia)) == set()


def test_every_check_states_value_and_limit_and_is_named_once():
    checks = check_image(picture(anatomy()))
    assert len({check.name for check in checks}) == len(checks) >= 7
    for check in checks:
        assert np.isfinite([check.value, check.limit]).all()
        assert isinstance(check.passed, bool)


def stack(n_slices: int = 30, **facts) -> Volume:
    array = np.stack([anatomy((64, 64))] * n_slices).astype(np.float32)
    return Volume(array, Grid.of_spacing(array.shape, (2.0, 1.0, 1.0)), facts=Facts(**facts))


def test_a_volume_is_judged_by_its_slices():
    assert failed(stack()) == set()
    volume = stack()
    empty = volume.array.copy()
    empty[:20] = 0
    assert failed(volume.with_array(empty)) == {"blank-slices"}
    assert failed(stack(notes=("slice-positions-rounded: 0.100 mm",))) == set()
    assert failed(stack(notes=("slice-positions-rounded: 0.300 mm",))) == {"slice-spacing"}


@pytest.mark.data
@pytest.mark.parametrize(
    "folder",
    ["busi_breast_us", "hc18_fetal_head_us", "bodypart_modality_64px", "brain_tumor_mri_4class", "head_ct_hemorrhage",
     "nih_cxr_pneumonia_vs_nofinding"],
)  # fmt: skip
def test_no_real_image_is_refused(data_dir: Path, folder: str):
    files = [path for path in sorted((data_dir / folder).rglob("*")) if path.suffix in (".png", ".jpg", ".jpeg")]
    files = [path for path in files if "masks" not in path.parts]
    refused = {}
    for path in files[:: max(1, len(files) // 40)]:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if failed(picture(image[..., 2::-1] if image.ndim == 3 else image)):
            refused[path.name] = failed(picture(image))
    assert refused == {}
