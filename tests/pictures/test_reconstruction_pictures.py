"""The pictures of docs/how-to/reconstruction.md, drawn from real slices."""

import cv2
import numpy as np
import pytest

from isocenter.imaging.phantoms_projection import coil_sensitivities
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.methods import FROM_KSPACE, FROM_PROJECTIONS
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.operators_mri import to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan, ProjectionScan
from isocenter.io.load import load

SIDE = 128
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xF0
WATER_PER_MM = 0.0193
pytestmark = [pytest.mark.data, pytest.mark.slow]


def real_slice(path, low: float, high: float) -> np.ndarray:
    """The middle slice from `low` to `high` as 0 to 1, inside the disc that every ray meets."""
    array = load(path).array
    values = np.clip((array[len(array) // 2].astype(np.float32) - low) / (high - low), 0, 1)
    scale = 0.7 * SIDE / max(values.shape)
    small = cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    out = np.zeros((SIDE, SIDE), np.float32)
    top, left = ((SIDE - n) // 2 for n in small.shape)
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def strip(images: dict[str, np.ndarray], low: float, high: float) -> np.ndarray:
    """Images side by side under their names, uint8."""
    tiles = []
    for name, image in images.items():
        tile = np.clip(255 * (image - low) / (high - low), 0, 255).astype(np.uint8) & LEVELS
        tile = cv2.resize(tile, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_NEAREST)
        tile = np.pad(tile, ((22, 2), (2, 2)))
        cv2.putText(tile, name, (6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
        tiles.append(tile)
    return np.hstack(tiles)


def test_forty_views_and_few_counts(data_dir, docs_picture, score):
    shown = real_slice(data_dir / "ct_mr_organ_masks_small" / "example_ct.nii.gz", -1000, 1000)
    truth = np.ascontiguousarray(np.flipud(shown)) * 2 * WATER_PER_MM
    angles, n_bins = np.linspace(0, 180, 40, endpoint=False), 183
    geometry = ScanGeometry(angles, n_bins, 1.0, truth.shape, 1.0)
    fine = Projection(ScanGeometry(angles, n_bins, 1.0, (2 * SIDE, 2 * SIDE), 0.5))
    clean = fine.forward(np.kron(truth, np.ones((2, 2), np.float32)))
    rng = np.random.default_rng(3)
    noisy = clean + 0.01 * clean.max() * rng.standard_normal(clean.shape)
    images = {"slice": truth}
    for method in ("fbp", "sirt", "wavelet", "tv"):
        images[method] = FROM_PROJECTIONS[method](ProjectionScan(noisy, geometry))
    assert score(images["tv"], truth) > score(images["fbp"], truth) + 5
    scale = 5e5 / clean.sum()
    counted = ProjectionScan(rng.poisson(np.maximum(clean, 0) * scale).astype(float), geometry)
    low = {"activity": truth, **{m: FROM_PROJECTIONS[m](counted) / scale for m in ("fbp", "gridding", "osem", "mlem")}}
    assert score(low["mlem"], truth) > score(low["fbp"], truth) + 4
    rows = [strip(row, 0, 1.3 * WATER_PER_MM) for row in (images, low)]
    docs_picture("reconstruction-ct", np.vstack(rows), tolerance=3)


def test_a_third_of_the_rows(data_dir, docs_picture, score):
    path = data_dir / "ct_mr_organ_masks_small" / "example_mr_sm.nii.gz"
    values = load(path).array
    truth = real_slice(path, 0, float(np.percentile(values[len(values) // 2], 99.5)))
    coils = coil_sensitivities(8, truth.shape)
    rng = np.random.default_rng(4)
    kspace = to_kspace(truth * coils)
    kspace = kspace + 0.01 * (rng.standard_normal(kspace.shape) + 1j * rng.standard_normal(kspace.shape)) / 2**0.5
    mask = np.zeros(truth.shape, bool)
    mask[::3] = mask[SIDE // 2 - 10 : SIDE // 2 + 10] = True
    scan = KspaceScan(kspace * mask, mask)
    images = {"slice": truth, **{method: FROM_KSPACE[method](scan) for method in FROM_KSPACE}}
    for method in ("cg-sense", "grappa"):
        assert score(images[method], truth) > score(images["zero-filled"], truth) + 4
    docs_picture("reconstruction-mr", strip(images, 0, 1), tolerance=3)


@pytest.fixture
def score():
    """Peak signal-to-noise ratio in dB."""
    return lambda image, truth: float(10 * np.log10(truth.max() ** 2 / np.mean((image - truth) ** 2)))
