import numpy as np
import pytest

from isocenter.imaging.phantoms import chest_phantom
from isocenter.imaging.phantoms_scan import ScanSettings
from isocenter.imaging.segment.agatston import score_calcium
from isocenter.imaging.segment.calcium import denoise_patchwise, find_calcium
from isocenter.imaging.segment.lungs import find_lungs

OPTIONS = {"spacing_mm": (2.0, 1.0, 1.0), "diameters": (), "vessel_mm": (1.0, 2.0)}


def _truth(chest):
    """The score inside the heart's box; there is nothing else bright in it."""
    shape, spacing = chest.clean.shape, np.array(chest.spacing_mm)
    middle = (np.array(shape) - 1) / 2 + np.array((-25.0, -12.0, 18.0)) / spacing
    low, high = ((middle + s * np.array((34.0, 30.0, 45.0)) / spacing).astype(int) for s in (-1, 1))
    near = np.zeros(shape, bool)
    near[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    return score_calcium(chest.clean, near, chest.spacing_mm)[0]


@pytest.mark.parametrize("noise_hu", [0.0, 20.0, 40.0])
def test_noise_changes_the_score_by_less_than_five_percent(crude_chest, noise_hu):
    chest = crude_chest(4, noise_hu=noise_hu, **OPTIONS)
    found = find_calcium(chest.hu, chest.spacing_mm, find_lungs(chest.hu, chest.spacing_mm))
    assert abs(found.score.agatston / _truth(chest).agatston - 1) < 0.05
    assert abs(found.noise_hu - noise_hu) < 0.15 * noise_hu + 0.5


def test_bones_and_noise_are_no_calcium(crude_chest):
    chest = crude_chest(4, noise_hu=40.0, calcium=False, **OPTIONS)
    assert find_calcium(chest.hu, chest.spacing_mm, find_lungs(chest.hu, chest.spacing_mm)).score.agatston == 0


def test_noisier_slices_hold_no_more_calcium(crude_chest):
    chest = crude_chest(4, noise_hu=15.0, calcium=False, **OPTIONS)
    noisier = np.random.default_rng(0).normal(0, 110, (8, *chest.hu.shape[1:]))
    hu = chest.hu.astype(np.float32)
    middle = len(hu) // 2 - 12
    hu[middle : middle + 8] += noisier
    assert find_calcium(hu, chest.spacing_mm, find_lungs(chest.hu, chest.spacing_mm)).score.agatston == 0


@pytest.mark.slow
def test_a_scanned_chest_scores_as_before_the_scanners_blur():
    scan = ScanSettings(n_views=320)
    phantom = chest_phantom(
        np.random.default_rng(3), shape=(84, 208, 208), spacing_mm=(2.0, 1.6, 1.6), wishes=(), scan=scan
    )
    spacing = tuple(float(s) for s in phantom.volume.grid.spacing_mm)
    hu = phantom.volume.array
    found = find_calcium(hu, spacing, find_lungs(hu, spacing))
    true = phantom.agatston_score
    assert found.blur is not None
    assert abs(found.as_scanned.agatston / true - 1) > 0.05
    assert abs(found.score.agatston / true - 1) < 0.05


def test_a_bright_heart_is_contrast_agent(crude_chest):
    chest = crude_chest(4, noise_hu=10.0, calcium=False, **OPTIONS)
    shape, spacing = chest.hu.shape, chest.spacing_mm
    k, j, i = ((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True))
    f = ((k[:, None, None] + 25) / 30) ** 2 + ((j[None, :, None] + 12) / 26) ** 2 + ((i[None, None] - 18) / 30) ** 2
    filled = chest.hu + 300 * (f < 1)
    assert find_calcium(filled, spacing, find_lungs(filled, spacing)).contrast


def test_patchwise_denoising_keeps_an_edge():
    rng = np.random.default_rng(0)
    step = np.where(np.arange(32) < 16, 40.0, 400.0) + np.zeros((5, 32, 32))
    noisy = (step + rng.normal(0, 20, step.shape)).astype(np.float32)
    clean = denoise_patchwise(noisy, (slice(1, 4), slice(4, 28), slice(4, 28)), 20.0)
    truth = step[1:4, 4:28, 4:28]
    assert np.std(clean - truth) < 10
    assert np.abs(clean - truth).max() < 60
