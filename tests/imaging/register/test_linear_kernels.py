import numpy as np
from scipy import ndimage

from isocenter.imaging.register.linear_kernels import (
    histogram_gradient,
    joint_histogram,
    normal_equations,
    sampled_moments,
    value_and_slope,
    value_at,
)

RNG = np.random.default_rng(0)
MOVING = ndimage.gaussian_filter(RNG.random((14, 15, 16)), 1.5).astype(np.float32)
MOVING = ((MOVING - MOVING.min()) / np.ptp(MOVING)).astype(np.float32)
INDEX = RNG.uniform(1, 12, (400, 3)).astype(np.float32)
VALUES = RNG.random(400).astype(np.float32)
ONES = np.ones(400, np.float32)
PLACE = np.eye(4)
PLACE[:3] += RNG.normal(0, 0.01, (3, 4))


def test_values_are_those_of_scipy():
    expected = ndimage.map_coordinates(MOVING, INDEX.T, order=1)
    np.testing.assert_allclose([value_at(MOVING, *p) for p in INDEX.astype(float)], expected, atol=1e-5)


def test_slopes_are_differences_of_values():
    for place in INDEX[:50].astype(float):
        value, *slopes = value_and_slope(MOVING, *place)
        assert abs(value - value_at(MOVING, *place)) < 1e-6
        for axis in range(3):
            step = np.zeros(3)
            step[axis] = 1e-3
            if np.floor(place[axis]) == np.floor(place[axis] + 1e-3):
                rise = (value_at(MOVING, *(place + step)) - value) / 1e-3
                assert abs(rise - slopes[axis]) < 2e-2


def test_normal_equations_are_those_of_the_stacked_rows():
    hess, side, moments = normal_equations(INDEX, VALUES, ONES, MOVING, PLACE, np.zeros(3))
    rows, goal = [], []
    for index, value in zip(INDEX.astype(float), VALUES.astype(float), strict=True):
        moved = value_and_slope(MOVING, *(PLACE[:3, :3] @ index + PLACE[:3, 3]))
        entries = np.outer(moved[1:], np.append(index, 1)).ravel()
        rows.append(np.concatenate((entries, (-value, -1))))
        goal.append(-moved[0])
    rows, goal = np.array(rows), np.array(goal)
    np.testing.assert_allclose(hess, rows.T @ rows, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(side, rows.T @ goal, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(moments, sampled_moments(INDEX, VALUES, ONES, MOVING, PLACE), rtol=1e-5)


def test_samples_outside_do_not_count():
    far = PLACE.copy()
    far[0, 3] = 100
    assert sampled_moments(INDEX, VALUES, ONES, MOVING, far)[6] == 0
    assert joint_histogram(INDEX, np.zeros(400, np.int32), ONES, MOVING, far, 8)[1] == 0


def test_every_sample_adds_its_weight_to_the_histogram():
    bins = (VALUES * 8).astype(np.int32)
    counts, inside = joint_histogram(INDEX, bins, ONES, MOVING * 7, PLACE, 8)
    assert abs(counts.sum() - inside) < 1e-6
    np.testing.assert_allclose(counts.sum(1), np.bincount(bins, minlength=8), atol=1e-6)


def test_the_histogram_gradient_is_a_difference_quotient():
    bins = (VALUES * 8).astype(np.int32)
    score = RNG.random((8, 11))
    found = histogram_gradient(INDEX, bins, ONES, MOVING * 7, PLACE, score).reshape(3, 4)
    for row, column in ((0, 3), (1, 3), (2, 3), (1, 0)):
        step = np.zeros((4, 4))
        step[row, column] = 1e-4
        ends = [(joint_histogram(INDEX, bins, ONES, MOVING * 7, PLACE + s * step, 8)[0] * score).sum() for s in (-1, 1)]
        assert abs((ends[1] - ends[0]) / 2e-4 - found[row, column]) < 0.05 * np.abs(found).max()
