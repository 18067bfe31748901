import numpy as np
import pytest

from isocenter.core.errors import GeometryError, LimitError
from isocenter.imaging.reconstruct.geometry import ScanGeometry


def test_a_ray_of_a_fan_passes_through_the_source_and_its_bin():
    geometry = ScanGeometry(np.array([0.0, 37.0, 200.0]), 9, 3.0, (20, 20), 1.0, (80.0, 130.0))
    phi, offset = geometry.lines()
    angle = np.deg2rad(geometry.angles_deg)[:, None]
    source = 80 * np.sin(angle), -80 * np.cos(angle)
    at_detector = (
        source[0] - 130 * np.sin(angle) + geometry.bins_mm * np.cos(angle),
        source[1] + 130 * np.cos(angle) + geometry.bins_mm * np.sin(angle),
    )
    for x, y in (source, at_detector):
        np.testing.assert_allclose(x * np.cos(phi) + y * np.sin(phi), offset, atol=1e-9)


def test_bins_are_centred_on_the_axis():
    geometry = ScanGeometry(np.zeros(1), 4, 2.0, (8, 8), 1.0)
    assert geometry.bins_mm.tolist() == [-3.0, -1.0, 1.0, 3.0]
    assert not geometry.is_fan and geometry.shape == (1, 4)


def test_some_views_keep_their_angles():
    geometry = ScanGeometry(np.array([0.0, 10.0, 20.0]), 4, 2.0, (8, 8), 1.0)
    assert geometry.with_views(np.array([2, 0])).angles_deg.tolist() == [20.0, 0.0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"angles_deg": np.zeros(0)}, "one finite angle"),
        ({"angles_deg": np.array([np.nan])}, "one finite angle"),
        ({"detector_mm": 0.0}, "state them in millimetres"),
        ({"pixel_mm": np.inf}, "state them in millimetres"),
        ({"size": (0, 8)}, "bins and pixels"),
        ({"beam_mm": (5.0, 30.0)}, "source outside the image"),
        ({"beam_mm": (50.0, -1.0)}, "leave both out for a parallel beam"),
    ],
)
def test_a_scan_that_cannot_be_is_refused(change, says):
    good = {"angles_deg": np.zeros(1), "n_detectors": 4, "detector_mm": 1.0, "size": (8, 8), "pixel_mm": 1.0}
    with pytest.raises(GeometryError, match=says):
        ScanGeometry(**{**good, **change})


def test_too_large_a_scan_is_refused_before_anything_is_allocated():
    with pytest.raises(LimitError, match="larger pixels"):
        ScanGeometry(np.zeros(1), 4, 1.0, (100_000, 100_000), 1.0)
