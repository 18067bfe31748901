import numpy as np

from isocenter.imaging.features.local_intensity import local_intensity_features
from isocenter.imaging.features.roi import BALL_MM, Roi


def by_definition(roi: Roi) -> tuple[float, float]:
    """Every voxel's distance to every voxel of the region."""
    everywhere = np.indices(roi.image.shape).reshape(3, -1).T * np.array(roi.spacing_mm)
    flat = roi.image.ravel()
    inside = np.flatnonzero(roi.mask.ravel())
    means = np.array([flat[np.linalg.norm(everywhere - everywhere[n], axis=1) <= BALL_MM].mean() for n in inside])
    brightest = flat[inside] == flat[inside].max()
    return means[brightest].max(), means.max()


def region(spacing_mm) -> Roi:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 50, (8, 13, 14)).astype(float)
    mask = rng.random(image.shape) > 0.6
    return Roi(image, mask, mask, spacing_mm, "HU")


def test_peaks_are_those_of_the_definition():
    for spacing in ((2.0, 2.0, 2.0), (3.0, 0.98, 1.3), (20.0, 1.0, 1.0)):
        roi = region(spacing)
        found = local_intensity_features(roi)
        assert np.allclose((found["peak_loc"], found["peak_glob"]), by_definition(roi))


def test_without_a_spacing_there_is_no_millilitre():
    found = local_intensity_features(region(None))
    assert np.isnan(list(found.values())).all()
