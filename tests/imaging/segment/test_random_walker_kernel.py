"""The grid solver against a sparse direct one, and the algebra of its levels."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from isocenter.imaging.segment.random_walker_kernel import (
    apply_level,
    coarsen,
    dot_product,
    gather,
    solve,
    spread,
    sweep,
)

SHAPE = (5, 6, 7)


def level(seed=0, dtype=np.float64) -> tuple[np.ndarray, ...]:
    """Random weights inside, a diagonal a little over their sum, a border of zeros."""
    rng = np.random.default_rng(seed)
    weights = []
    for axis in range(3):
        weight = rng.random(SHAPE)
        weight[tuple(slice(-1, None) if a == axis else slice(None) for a in range(3))] = 0
        weights.append(np.pad(weight, 1).astype(dtype))
    total = sum(w + np.roll(w, 1, axis) for axis, w in enumerate(weights))
    diagonal = np.where(np.pad(np.ones(SHAPE, bool), 1), total + 0.05, 0)
    return (*weights, diagonal.astype(dtype))


def matrix(parts: tuple[np.ndarray, ...]) -> np.ndarray:
    shape = parts[3].shape
    numbers = np.arange(parts[3].size).reshape(shape)
    rows, columns, values = [numbers.ravel()], [numbers.ravel()], [parts[3].ravel()]
    for axis, weight in enumerate(parts[:3]):
        here = np.argwhere(weight > 0)
        there = here + np.eye(3, dtype=int)[axis]
        a, b, w = numbers[tuple(here.T)], numbers[tuple(there.T)], weight[tuple(here.T)]
        rows += [a, b]
        columns += [b, a]
        values += [-w, -w]
    return coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsr()


def inner(rng) -> np.ndarray:
    return np.pad(rng.normal(size=SHAPE), 1)


def test_applying_a_level_is_its_matrix():
    parts, x = level(), inner(np.random.default_rng(1))
    np.testing.assert_allclose(apply_level(x, *parts).ravel(), matrix(parts) @ x.ravel(), atol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_solution_is_the_direct_solvers(tolerance):
    parts, right = level(), inner(np.random.default_rng(2))
    full = matrix(parts).tolil()
    outside = np.flatnonzero(parts[3].ravel() == 0)
    full[outside, outside] = 1
    expected = spsolve(full.tocsc(), right.ravel()).reshape(right.shape)
    single = tuple(part.astype(np.float32) for part in parts)
    found = solve(single, right.astype(np.float32), tolerance=tolerance)
    assert np.abs(found - expected).max() < max(50 * tolerance, 1e-4) * np.abs(expected).max()


def test_a_sweep_leaves_a_solution_alone_and_brings_others_nearer():
    parts = level()
    truth = inner(np.random.default_rng(3))
    right = apply_level(truth, *parts)
    same = truth.copy()
    sweep(same, right, parts, True)
    np.testing.assert_allclose(same, truth, atol=1e-10)
    x = np.zeros_like(truth)
    sweep(x, right, parts, True)
    sweep(x, right, parts, False)
    assert np.linalg.norm(right - apply_level(x, *parts)) < 0.6 * np.linalg.norm(right)


def test_the_coarse_level_is_the_fine_one_between_blocks():
    parts = level()
    coarse = coarsen(*parts)
    rng = np.random.default_rng(4)
    blocks = np.pad(rng.normal(size=tuple((n + 1) // 2 for n in SHAPE)), 1)
    spread_out = np.zeros_like(parts[3])
    spread(spread_out, blocks, parts[3], 1.0)
    np.testing.assert_allclose(
        gather(apply_level(spread_out, *parts), parts[3]), apply_level(blocks, *coarse), atol=1e-10
    )


def test_nothing_on_the_right_gives_nothing():
    parts = tuple(part.astype(np.float32) for part in level())
    assert not solve(parts, np.zeros_like(parts[3]), tolerance=1e-3).any()
    assert dot_product(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 11.0
