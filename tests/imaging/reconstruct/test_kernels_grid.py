import numpy as np

from isocenter.imaging.reconstruct.kernels_grid import gather, spread


def test_spreading_is_the_transpose_of_gathering():
    rng = np.random.default_rng(0)
    grid, places = rng.standard_normal((10, 12)) + 0j, rng.uniform(-3, 13, (7, 2))
    values, out = rng.standard_normal(7) + 0j, np.zeros((10, 12), complex)
    spread(values, places, 6, 13.9, out)
    assert np.allclose(np.vdot(values, gather(grid, places, 6, 13.9)), np.vdot(out, grid))


def test_the_kernel_is_symmetric_about_its_place():
    out = np.zeros((9, 9), complex)
    spread(np.ones(1, complex), np.array([[4.0, 4.0]]), 6, 13.9, out)
    assert np.allclose(out, out[::-1, ::-1]) and out[4, 4].real == np.abs(out).max()
