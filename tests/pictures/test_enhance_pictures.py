"""The pictures of docs/how-to/enhance.md: each operation on the real image that it is shown on."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from isocenter.app.image_files import open_image
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume, Window
from isocenter.evaluation.image_quality import psnr
from isocenter.imaging import denoise, enhance, restore
from isocenter.imaging.intensity import to_uint8
from isocenter.imaging.overlay import WHITE, draw_label, montage
from isocenter.imaging.upsample import upsample

pytestmark = pytest.mark.data
SIDE = 240
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xF0


def panel(picture: np.ndarray, title: str, *, window: Window | None = None, nearest: bool = False) -> np.ndarray:
    """A slice or a colour picture, `SIDE` pixels wide, with a title."""
    seen = picture.astype(np.uint8) if window is None else to_uint8(picture.astype(np.float32), window)
    size = (SIDE, round(SIDE * picture.shape[0] / picture.shape[1]))
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if picture.shape[1] > SIDE else cv2.INTER_CUBIC
    return draw_label(cv2.resize(seen, size, interpolation=how) & LEVELS, title, at=(18, 4), colour=WHITE)


def picture_of(array: np.ndarray) -> Volume:
    return Volume(array[None], Grid.of_pixels((1, *array.shape[:2])))


def brain(data_dir, name: str = "FLAIR", k: int = 95) -> np.ndarray:
    """One axial slice, anterior up, 0 to 1."""
    volume = open_image(data_dir / "ms_lesions_mni_4modal" / "patient07" / f"{name}.nii.gz")
    array = volume.array[k].astype(np.float64)[::-1]
    return array[10:202, :] / np.percentile(array, 99.8)


def ct(data_dir) -> Volume:
    return open_image(data_dir / "ct_mr_organ_masks_small" / "example_ct.nii.gz")


def test_contrast(data_dir, docs_picture):
    path = data_dir / "chasedb1_retina_vessels" / "images" / "Image_01L.jpg"
    eye = open_image(path if path.exists() else sorted((data_dir / "chasedb1_retina_vessels").rglob("*01L*.jpg"))[0])
    small = Volume(
        cv2.resize(eye.array[0], (SIDE, SIDE), interpolation=cv2.INTER_AREA)[None], Grid.of_pixels((1, SIDE, SIDE))
    )
    gray = enhance.grey(small)
    shown = [
        panel(small.array[0], "as it came"),
        panel(gray.array[0], "grey"),
        panel(enhance.gamma(gray, gamma=0.6).array[0], "gamma --gamma 0.6"),
        panel(enhance.equalize(gray).array[0], "equalize"),
        panel(restore.clahe(gray).array[0], "clahe"),
        panel(enhance.unsharp(gray, sigma_px=2, amount=2).array[0], "unsharp --amount 2"),
    ]
    docs_picture("enhance-contrast", montage(shown, n_columns=3))


def test_denoising(data_dir, docs_picture):
    truth = brain(data_dir)
    rng = np.random.default_rng(0)
    noisy = np.hypot(truth + rng.normal(0, 0.12, truth.shape), rng.normal(0, 0.12, truth.shape))
    window = Window(0.5, 1.0, "LINEAR_EXACT")
    shown = [panel(noisy, f"Rician noise: {psnr(truth, noisy, data_range=1):.1f} dB", window=window)]
    gains = {}
    for method in (denoise.bm3d, denoise.nlm, denoise.wavelet, denoise.tv, denoise.anisotropic):
        found = method(picture_of(noisy)).array[0]
        gains[method.__name__] = psnr(truth, found, data_range=1) - psnr(truth, noisy, data_range=1)
        shown.append(panel(found, f"{method.__name__}: {gains[method.__name__]:+.1f} dB", window=window))
    assert gains["bm3d"] == max(gains.values()) > 6
    docs_picture("enhance-denoising", montage(shown, n_columns=3)[..., 0])


def test_bias_field(data_dir, docs_picture):
    truth = brain(data_dir, "T1", 95)
    j, i = np.mgrid[: truth.shape[0], : truth.shape[1]] / truth.shape[0]
    seen = truth * (0.5 + 1.0 * j**2 + 0.3 * i)
    mended = restore.bias_field(picture_of(seen)).array[0]
    white = (truth > 0.75) & (truth < 0.95)
    before, after = (float(each[white].std() / each[white].mean()) for each in (seen, mended))
    assert after < before / 2
    shown = [
        panel(each / np.percentile(each, 99.5), title, window=Window(0.5, 1.0, "LINEAR_EXACT"))
        for each, title in (
            (truth, "T1"),
            (seen, f"with a field: CV {before:.2f}"),
            (mended, f"bias-field: CV {after:.2f}"),
        )
    ]
    docs_picture("enhance-bias", montage(shown, n_columns=3)[..., 0])


def test_ringing_and_rings(data_dir, docs_picture):
    truth = brain(data_dir, "T2", 95)[16:176, 11:171]
    spectrum = np.fft.fftshift(np.fft.fft2(truth))
    rung = np.fft.ifft2(np.fft.ifftshift(spectrum[40:120, 40:120])).real / 4
    smooth = restore.gibbs(picture_of(rung)).array[0]
    volume = ct(data_dir)
    clean = volume.array[50].astype(np.float64)[::-1]
    j, i = np.indices(clean.shape)
    middle = (np.array(clean.shape) - 1) / 2
    profile = np.zeros(400)
    profile[[8, 15, 22, 31, 44, 57, 63, 80]] = (80, -70, 60, 90, -60, 70, -80, 60)
    ringed = clean + 2 * np.interp(np.hypot(j - middle[0], i - middle[1]), np.arange(400), profile)
    mended = restore.ring(picture_of(ringed)).array[0]
    assert np.square(mended - clean).mean() < 0.5 * np.square(ringed - clean).mean()
    part = slice(20, 60), slice(20, 60)
    gray = Window(float(np.median(rung)) + 0.2, 0.6, "LINEAR_EXACT")
    shown = [
        panel(rung[part], "T2 of 80 x 80 samples, part", window=gray, nearest=True),
        panel(smooth[part], "gibbs", window=gray, nearest=True),
        panel(ringed, "CT with rings", window=Window(40, 400)),
        panel(mended, "ring", window=Window(40, 400)),
    ]
    docs_picture("enhance-artefacts", montage(shown, n_columns=2)[..., 0])


def test_upsampling_and_inpainting(data_dir, docs_picture):
    volume = ct(data_dir)
    clean = volume.array[50].astype(np.float64)[::-1]
    part = picture_of(clean[60:110, 60:110])
    window = Window(40, 400)
    hole = np.zeros((1, *clean.shape), bool)
    hole[0, 60:64, 40:150] = hole[0, 85:97, 80:92] = True
    spoiled = np.where(hole[0], 1500.0, clean)
    mask = Mask(hole, Grid.of_pixels(hole.shape))
    shown = [
        panel(part.array[0], "50 x 50 pixels", window=window, nearest=True),
        panel(upsample(part, factor=4).array[0], "upsample --factor 4", window=window),
        panel(upsample(part, factor=4.0, method="back-projection").array[0], "--method back-projection", window=window),
        panel(spoiled, "a scratch and a hole", window=window),
        panel(restore.inpaint(picture_of(spoiled), mask).array[0], "inpaint --mask", window=window),
        panel(restore.inpaint(picture_of(spoiled), mask, method="tv").array[0], "--method tv", window=window),
    ]
    tall = max(each.shape[0] for each in shown)
    shown = [np.pad(each, [(0, tall - each.shape[0]), (0, 0), (0, 0)]) for each in shown]
    docs_picture("enhance-repair", montage(shown, n_columns=3)[..., 0])


def test_damaged_slices(data_dir, docs_picture):
    volume = ct(data_dir)
    k = 50
    spoiled = volume.array.astype(np.float32)
    truth = spoiled[[k, k + 6]].copy()
    spoiled[k, ::5] += 300
    spoiled[k + 6] = spoiled[k + 6].min()
    repaired = restore.inpaint(replace(volume, array=spoiled))
    notes = [note for note in repaired.facts.notes if note.startswith("slice-interpolated")]
    assert notes == [f"slice-interpolated: {k} (striped)", f"slice-interpolated: {k + 6} (blank)"]
    window = Window(40, 400)
    shown = []
    for number, clean in zip((k, k + 6), truth, strict=True):
        shown += [
            panel(clean[::-1], f"slice {number}", window=window),
            panel(spoiled[number][::-1], "damaged", window=window),
            panel(repaired.array[number][::-1], "inpaint", window=window),
        ]
    docs_picture("enhance-damage", montage(shown, n_columns=3)[..., 0])
