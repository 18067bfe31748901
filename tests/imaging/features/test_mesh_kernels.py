import numpy as np

from isocenter.imaging.features.mesh import measure_surface
from isocenter.imaging.features.mesh_kernels import largest_square, sum_triangles


def test_triangles_of_every_case_enclose_volume_wherever_the_body_lies():
    rng = np.random.default_rng(0)
    noise = rng.random((6, 7, 8)) > 0.5
    here = measure_surface(noise, spacing_mm=(1.0, 2.0, 0.5))
    shifted = np.pad(noise, ((3, 0), (0, 4), (2, 1)))
    there = measure_surface(shifted, spacing_mm=(1.0, 2.0, 0.5))
    # Signed tetrahedra add up to the same volume from any origin only if the surface is closed.
    assert np.isclose(here.volume_mm3, there.volume_mm3)
    assert np.isclose(here.area_mm2, there.area_mm2)


def test_one_triangle_counts_half_its_parallelogram():
    triangles = np.array([[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    starts = np.zeros(257, dtype=np.int64)
    starts[2:] = 1
    padded = np.zeros((2, 2, 2), bool)
    padded[0, 0, 0] = True
    volume, area = sum_triangles(padded, triangles, starts, np.array([1.0, 2.0, 3.0]))
    assert (volume, area) == (0.0, 3.0)


def test_the_largest_square_is_that_of_the_ends():
    assert largest_square(np.array([[0.0, 0, 0], [1, 1, 1], [3, 0, 4]])) == 25
    assert largest_square(np.zeros((1, 3))) == 0
