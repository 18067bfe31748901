"""Filters along one axis after the other against closed formulas, dense kernels and rotated images."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.features.filters_separable import LAWS, MODES, average, respond_log, respond_rotated
from isocenter.imaging.features.filters_settings import Boundary, FilterSettings
from isocenter.imaging.features.wavelet_tables import wavelet_filters


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_all_laws_kernels_but_the_level_sum_to_nothing():
    for name, taps in LAWS.items():
        assert sum(taps) == {"L3": 4, "L5": 16}.get(name, 0)


@pytest.mark.parametrize("boundary", list(MODES))
def test_the_laplacian_of_gaussian_is_the_dense_kernel(boundary: Boundary):
    image, sigma = noise((11, 12, 13)), 1.3
    axis = np.arange(-5, 6)
    r2 = sum(np.meshgrid(axis**2, axis**2, axis**2)) / sigma**2
    kernel = -(3 - r2) * np.exp(-r2 / 2) / sigma**2 / (np.sqrt(2 * np.pi) * sigma) ** 3
    wanted = ndimage.convolve(image, kernel, mode=MODES[boundary])
    settings = FilterSettings("log", boundary=boundary, sigma_voxels=sigma)
    np.testing.assert_allclose(respond_log(image, settings, lambda: ()), wanted, atol=1e-5)


def test_the_laplacian_of_a_wide_parabola_is_its_curvature():
    k, j, i = np.mgrid[:41, :41, :41].astype(np.float32) - 20
    settings = FilterSettings("log", sigma_mm=2.0, cutoff=6)
    response = respond_log(k**2 + 2 * j**2 + 3 * i**2, settings, lambda: (1.0, 1.0, 1.0))
    assert response[20, 20, 20] == pytest.approx(2 + 4 + 6, rel=1e-3)


def test_oblong_voxels_see_the_same_sigma_in_millimetres():
    k, j, i = np.mgrid[:21, :41, :41].astype(np.float32)
    blob = np.exp(-((2 * (k - 10)) ** 2 + (j - 20) ** 2 + (i - 20) ** 2) / (2 * 16))
    settings = FilterSettings("log", sigma_mm=4.0)
    oblong = respond_log(blob, settings, lambda: (1.0, 1.0, 2.0))
    k, j, i = np.mgrid[:41, :41, :41].astype(np.float32)
    ball = np.exp(-((k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2) / (2 * 16))
    round_ = respond_log(ball, settings, lambda: (1.0, 1.0, 1.0))
    np.testing.assert_allclose(oblong, round_[::2], atol=0.01 * np.abs(round_).max())


@pytest.mark.parametrize("kernels", [("E5", "L5", "S5"), ("E3", "W5", "R5"), ("E5", "E5", "L5")])
def test_the_rotations_left_out_by_symmetry_change_nothing(kernels: tuple[str, str, str]):
    image = noise((8, 8, 8))
    passes = [[np.asarray(LAWS[name], dtype=float)] for name in kernels]
    for pooling in ("max", "min"):
        np.testing.assert_allclose(
            respond_rotated(image, passes, "periodic", pooling), _dense_pooled(image, passes, pooling), atol=1e-4
        )


def _dense_pooled(image: np.ndarray, passes: list[list[np.ndarray]], pooling: str) -> np.ndarray:
    """Pooled over images that are really turned: 24 orientations of a cube by quarter turns."""
    seen: dict[bytes, tuple[np.ndarray, list[tuple[int, tuple[int, int]]]]] = {}
    frontier = [(image, [])]
    while frontier:
        turned, turns = frontier.pop()
        if turned.tobytes() in seen:
            continue
        seen[turned.tobytes()] = (turned, turns)
        frontier += [(np.ascontiguousarray(np.rot90(turned, 1, axes)), [*turns, axes]) for axes in ((0, 1), (1, 2))]
    assert len(seen) == 24
    responses = []
    for turned, turns in seen.values():
        response = turned
        for direction, taps in enumerate(passes):
            response = ndimage.convolve1d(response, taps[0], axis=2 - direction, mode="wrap")
        for axes in reversed(turns):
            response = np.rot90(response, -1, axes)
        responses.append(response)
    return np.max(responses, axis=0) if pooling == "max" else np.min(responses, axis=0)


def test_a_pooled_mean_of_an_even_kernel_keeps_the_centre_of_mass():
    image = np.zeros((15, 15, 15), dtype=np.float32)
    image[7, 7, 7] = 1
    low, _ = wavelet_filters("db2")
    response = respond_rotated(image, [[low]] * 3, "zero", "mean")
    np.testing.assert_allclose(ndimage.center_of_mass(response), (7, 7, 7), atol=1e-4)


def test_the_mean_over_a_plane_leaves_slices_apart():
    image = np.zeros((3, 9, 9), dtype=np.float32)
    image[1] = 1
    flat = average(image, 3, dimension=2, boundary="mirror")
    np.testing.assert_array_equal(flat, image)
    assert average(image, 3, dimension=3, boundary="mirror")[0, 4, 4] == pytest.approx(1 / 3)
