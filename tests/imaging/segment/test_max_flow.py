"""Cuts against SciPy's maximum flow: the value of the one is the value of the other."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_flow

from isocenter.imaging.segment.max_flow import cut_grid


def network(shape, seed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends and capacities in both directions, padded; and flat offsets."""
    rng = np.random.default_rng(seed)
    padded = tuple(n + 2 for n in shape)
    inner = (slice(1, -1),) * 3
    ends = np.zeros(padded, np.int32)
    ends[inner] = rng.integers(-400, 400, shape)
    flow = np.zeros((*padded, 6), np.int32)
    for axis in range(3):
        front = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        back = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        there = np.zeros(shape, np.int32)
        again = np.zeros(shape, np.int32)
        there[front] = rng.integers(0, 300, there[front].shape)
        again[back] = rng.integers(0, 300, again[back].shape)
        flow[(*inner, 2 * axis)], flow[(*inner, 2 * axis + 1)] = there, again
    plane, row = padded[1] * padded[2], padded[2]
    return flow.reshape(-1, 6), ends.reshape(-1), np.array((plane, -plane, row, -row, 1, -1), np.int64)


def scipy_flow(flow, ends, offsets) -> int:
    n = ends.size
    rows, columns, values = [], [], []
    for direction, offset in enumerate(offsets):
        at = np.flatnonzero(flow[:, direction])
        rows.append(at)
        columns.append(at + offset)
        values.append(flow[at, direction])
    above, below = np.flatnonzero(ends > 0), np.flatnonzero(ends < 0)
    rows += [np.full(above.size, n), below]
    columns += [above, np.full(below.size, n + 1)]
    values += [ends[above], -ends[below]]
    graph = coo_matrix(
        (np.concatenate(values).astype(np.int32), (np.concatenate(rows), np.concatenate(columns))), (n + 2, n + 2)
    )
    return int(maximum_flow(graph.tocsr(), n, n + 1).flow_value)


def cost(side, flow, ends, offsets) -> int:
    total = int(ends[(ends > 0) & ~side].sum()) - int(ends[(ends < 0) & side].sum())
    for direction, offset in enumerate(offsets):
        at = np.flatnonzero(flow[:, direction])
        total += int(flow[at, direction][side[at] & ~side[at + offset]].sum())
    return total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(1, 9, 11), (5, 6, 7), (1, 1, 20)])
def test_the_cut_costs_what_flows_at_most(shape, seed):
    flow, ends, offsets = network(shape, seed)
    side = cut_grid(flow.copy(), ends.copy(), offsets)
    assert cost(side, flow, ends, offsets) == scipy_flow(flow, ends, offsets)


def test_without_ends_nothing_is_inside():
    flow, ends, offsets = network((2, 3, 4), 0)
    assert not cut_grid(flow, np.zeros_like(ends), offsets).any()
