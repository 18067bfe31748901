import numpy as np

from isocenter.imaging.reconstruct.kernels_ct import (
    back_project_fan,
    back_project_parallel,
    project_lines,
    refine_table,
    smear_lines,
)


def test_a_ray_down_a_column_sums_it_and_smearing_puts_it_back():
    image = np.arange(12.0).reshape(3, 4)
    start, step, weight = np.array([1.0, 1.5]), np.zeros(2), np.array([1.0, 2.0])
    values = project_lines(image, start, step, weight)
    assert values.tolist() == [1 + 5 + 9, 2 * (1.5 + 5.5 + 9.5)]
    back = np.zeros((3, 4))
    smear_lines(np.array([1.0, 1.0]), start, step, weight, back)
    assert back[0].tolist() == [0.0, 2.0, 1.0, 0.0]


def test_a_refined_table_interpolates_linearly():
    table = refine_table(np.array([[0.0, 4.0]], np.float32), np.array([0.5], np.float32), 2, 4, 10)
    assert table[0].tolist() == [0, 0, 0, 0.5, 1, 1.5, 2, 0, 0, 0]


def test_back_projection_looks_up_the_place_of_each_pixel():
    table = np.tile(np.arange(64, dtype=np.float32), (2, 1))
    out = np.empty((3, 5), np.float32)
    bits = 8
    origin, per_row, per_column = (np.array([v << bits] * 2) for v in (10, 7, 2))
    back_project_parallel(table, origin, per_row, per_column, bits, out)
    assert np.array_equal(out, 2 * (10 + 7 * np.arange(3)[:, None] + 2 * np.arange(5)))


def test_fan_back_projection_of_a_flat_view_is_the_squared_relative_distance():
    out = np.zeros((3, 3), np.float32)
    back_project_fan(np.ones((1, 41), np.float32), np.ones(1), np.zeros(1), 10.0, 10.0, out)
    np.testing.assert_allclose(out[:, 1], [(10 / 11) ** 2, 1, (10 / 9) ** 2], rtol=1e-6)
