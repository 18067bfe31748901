import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.phantoms_projection import Ellipse, draw_ellipses, project_ellipses
from isocenter.imaging.reconstruct.emission import mlem, osem
from isocenter.imaging.reconstruct.filtered import filtered_back_projection
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.scans import ProjectionScan

SIZE = (64, 64)
BODY = (
    Ellipse(1.0, (0.0, 0.0), (26.0, 20.0)),
    Ellipse(3.0, (10.0, 4.0), (4.0, 4.0)),
    Ellipse(2.0, (-11.0, -3.0), (5.0, 6.0)),
    Ellipse(-0.8, (-2.0, 9.0), (5.0, 4.0)),
)
GEOMETRY = ScanGeometry(np.linspace(0, 180, 48, endpoint=False), 91, 1.0, SIZE, 1.0)


@pytest.fixture
def counted():
    """Poisson counts with this total, and the activity that they stand for."""

    def make(total: float) -> tuple[ProjectionScan, np.ndarray]:
        expected = project_ellipses(BODY, GEOMETRY)
        scale = total / expected.sum()
        counts = np.random.default_rng(3).poisson(expected * scale).astype(float)
        return ProjectionScan(counts, GEOMETRY), draw_ellipses(BODY, SIZE, pixel_mm=1.0) * scale

    return make


@pytest.mark.parametrize("method", [mlem, osem])
@pytest.mark.parametrize("total", [1e4, 1e5])
def test_low_counts_gain_over_filtering(method, total, counted, score):
    scan, truth = counted(total)
    plain = score(filtered_back_projection(scan.sinogram, GEOMETRY), truth)
    assert score(method(scan), truth) > plain + 8


def test_bare_iterations_raise_the_likelihood_and_keep_the_counts(counted):
    scan, _ = counted(1e5)
    operator = Projection(GEOMETRY)
    likely = []
    for n in (1, 3, 9, 27):
        image = mlem(scan, iterations=n, weight=0)
        expected = operator.forward(image)
        assert expected.sum() == pytest.approx(scan.sinogram.sum(), rel=1e-3)
        assert image.min() >= 0
        likely.append(float((scan.sinogram * np.log(np.maximum(expected, 1e-9)) - expected).sum()))
    assert likely == sorted(likely)


def test_attenuation_and_background_are_taken_into_account(score):
    truth = draw_ellipses(BODY, SIZE, pixel_mm=1.0) * 20
    factor = np.exp(-project_ellipses((Ellipse(0.02, (0.0, 0.0), (26.0, 20.0)),), GEOMETRY))
    expected = factor * project_ellipses(BODY, GEOMETRY) * 20 + 30
    counts = np.random.default_rng(4).poisson(expected).astype(float)
    aware = score(osem(ProjectionScan(counts, GEOMETRY, factor, 30.0)), truth)
    assert aware > score(osem(ProjectionScan(counts, GEOMETRY)), truth) + 8
    assert aware > 20


def test_no_counts_give_no_activity():
    assert osem(ProjectionScan(np.zeros(GEOMETRY.shape), GEOMETRY)).max() < 1e-6


def test_negative_counts_and_too_many_subsets_are_refused(counted):
    scan, _ = counted(1e4)
    with pytest.raises(InputError, match="counts of 0 or more"):
        mlem(ProjectionScan(scan.sinogram - 1, GEOMETRY))
    with pytest.raises(InputError, match="1 to 48"):
        osem(scan, subsets=49)
