"""The picture of docs/how-to/filters.md: one slice of a CT, seen through the filters of IBSI-2."""

import cv2
import numpy as np
import pytest

from isocenter.core.volume import Volume
from isocenter.imaging.features.filters import filter_volume
from isocenter.imaging.overlay import draw_label, montage
from isocenter.imaging.spatial import reorient_to_axial
from isocenter.io.load import load

pytestmark = pytest.mark.data
WIDTH = 244
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xE0
FILTERS = {
    "LoG, 4 mm": {"filter": "log", "sigma_mm": 4},
    "Laws E5L5S5, energy": {"filter": "laws", "kernels": "E5L5S5", "pooling": "max", "energy_distance": 2},
    "Gabor, three planes": {
        "filter": "gabor", "sigma_mm": 6, "wavelength_mm": 12, "angle_step_deg": 45, "pooling": "mean", "planes": 3,
    },
    "coif1 wavelet, LLH": {"filter": "wavelet", "wavelet": "coif1", "subband": "LLH", "pooling": "mean"},
    "Simoncelli, level 2": {"filter": "simoncelli", "level": 2},
    "Riesz (1,0,0) of LoG": {"filter": "log", "sigma_mm": 4, "riesz": [1, 0, 0]},
    "Riesz, own frame": {"filter": "log", "sigma_mm": 4, "riesz": [1, 0, 0], "align_mm": 3},
}  # fmt: skip


def shown(volume: Volume, words: str, limits: tuple[float, float] | None = None) -> np.ndarray:
    """The middle slice between limits, or between its 1st and 99th percentile."""
    picture = volume.array[volume.grid.shape[0] // 2].astype(np.float32)
    low, high = limits or np.percentile(picture, (1, 99))
    gray = np.clip((picture - low) / (high - low) * 255, 0, 255).astype(np.uint8) & LEVELS
    size = (WIDTH, round(WIDTH * picture.shape[0] / picture.shape[1]))
    return draw_label(cv2.resize(gray, size, interpolation=cv2.INTER_NEAREST), words, at=(18, 4))


def test_a_slice_of_ct_is_seen_through_each_filter(data_dir, docs_picture):
    volume = reorient_to_axial(load(data_dir / "ct_mr_organ_masks_small" / "example_ct_sm.nii.gz"))
    pictures = [shown(volume, "CT", (-160, 240))]
    for words, config in FILTERS.items():
        response = filter_volume(volume, config)
        assert response.grid.shape == volume.grid.shape
        assert np.ptp(response.array) > 0
        pictures.append(shown(response, words))
    docs_picture("filters-ct", montage(pictures, n_columns=4)[..., 0])
