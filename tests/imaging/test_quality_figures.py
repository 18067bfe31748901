import cv2
import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.quality_figures import count_letters, describe_quality, noise_of

GRID = Grid.of_spacing((3, 160, 160), (5.0, 1.0, 1.0))


def head(rng: np.random.Generator, *, noise: float = 10.0, ghost: float = 0.0, radius: float = 55) -> np.ndarray:
    """A disc of 200 on nothing, with noise and a ghost half a field of view away along the rows."""
    rows, columns = np.indices(GRID.shape[1:]) - 79.5
    disc = np.where(rows**2 + columns**2 <= radius**2, 200.0, 0.0)
    return np.abs(disc + ghost * np.roll(disc, 80, axis=0) + rng.normal(0, noise, GRID.shape))


@pytest.mark.parametrize("noise", [2.0, 10.0, 25.0])
def test_noise_signal_and_contrast_are_those_of_the_phantom(noise):
    found = describe_quality(Volume(head(np.random.default_rng(0), noise=noise), GRID, modality="MR"))
    assert found.noise_sd == pytest.approx(noise, rel=0.05)
    assert found.snr == pytest.approx(200 / noise, rel=0.05)
    assert found.cnr == pytest.approx((200 - 0.67 * noise) / noise, rel=0.06)


def test_the_signal_of_ct_is_counted_from_air():
    rng = np.random.default_rng(1)
    hu = head(rng, noise=0.0) * 5.2 - 1000 + rng.normal(0, 20, GRID.shape)
    assert describe_quality(Volume(hu, GRID, "HU", "CT")).snr == pytest.approx(1040 / 20, rel=0.05)


def test_noise_on_a_slope_is_the_noise_alone():
    rng = np.random.default_rng(2)
    picture = np.arange(200.0) * 7 + rng.normal(0, 4, (200, 200))
    assert noise_of(picture, np.ones(picture.shape, bool)) == pytest.approx(4, rel=0.05)


def test_a_ghost_is_found_along_its_axis_and_in_its_strength():
    rng = np.random.default_rng(3)
    clean = describe_quality(Volume(head(rng), GRID, modality="MR")).ghosting
    ghosted = describe_quality(Volume(head(rng, ghost=0.1), GRID, modality="MR")).ghosting
    assert clean < 0.005 and ghosted > 0.03
    assert describe_quality(Volume(head(rng, ghost=0.1), GRID, "HU", "CT")).ghosting is None
    assert describe_quality(Volume(head(rng, radius=78), GRID, modality="MR")).ghosting is None


def test_ghosting_is_the_acrs_percent_signal_ghosting():
    picture = np.random.default_rng(8).normal(2, 0.1, (160, 160))
    picture[50:110, 50:110] += 200
    picture[:45, 50:110] += 10
    picture[115:, 50:110] += 10
    found = describe_quality(Volume(picture[None], Grid.of_spacing((1, 160, 160), (5.0, 1.0, 1.0)), modality="MR"))
    assert found.ghosting == pytest.approx((2 * 10) / (2 * 202), rel=0.2)


def test_the_border_share_says_what_the_field_of_view_cuts_off():
    rng = np.random.default_rng(4)
    assert describe_quality(Volume(head(rng), GRID)).border_share == 0
    array = head(rng)
    cut = array[:, 60:, :]
    share = describe_quality(Volume(cut, Grid.of_spacing(cut.shape, (5.0, 1.0, 1.0)))).border_share
    assert share == pytest.approx(2 * np.sqrt(55**2 - 19.5**2) / (2 * 160 + 2 * 98), rel=0.05)


@pytest.mark.parametrize("scale", [0.6, 1.0])
def test_burnt_in_words_are_found_and_side_markers_and_anatomy_are_not(scale):
    rng = np.random.default_rng(5)
    picture = cv2.GaussianBlur(head(rng)[0].astype(np.uint8), (0, 0), 2)
    assert count_letters(picture) == 0
    marker = cv2.putText(picture.copy(), "L", (10, 40), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 2)
    assert count_letters(marker) == 0
    words = cv2.putText(picture.copy(), "DOE 1970", (4, 30), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    assert 4 <= count_letters(words) <= 8


def test_a_constant_image_has_no_figures():
    found = describe_quality(Volume(np.full(GRID.shape, 7.0), GRID, modality="MR"))
    assert (found.noise_sd, found.snr, found.cnr, found.ghosting, found.border_share, found.letters) == (
        None, None, None, None, None, 0,
    )  # fmt: skip


@pytest.mark.data
def test_real_pictures_without_words_have_no_letters(data_dir):
    from isocenter.io.load import load

    folders = ("busi_breast_us/*/*.png", "head_ct_hemorrhage/*/*.png", "hc18_fetal_head_us/*/*.png")
    files = [path for pattern in folders for path in sorted(data_dir.glob(pattern))[::40]]
    assert len(files) > 10
    assert sum(describe_quality(load(path)).letters > 0 for path in files) == 0
