"""The smallest box around a convex body, whichever way it is turned."""

import numpy as np
from numba import njit


@njit(cache=True)
def smallest_box(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Sides of the box of least volume that has a face on one of the planes of a hull.

    points    (n, 3) corners of the hull
    normals   (m, 3) of its faces, of length 1

    On each plane the hull is projected and the rectangle of least area around it lies along one of its edges.
    """
    best = np.zeros(3)
    least = np.inf
    for n in range(len(normals)):
        normal = normals[n]
        across = np.zeros(3)
        across[np.argmin(np.abs(normal))] = 1.0
        one = np.cross(normal, across)
        one /= np.sqrt((one**2).sum())
        other = np.cross(normal, one)
        flat = np.empty((len(points), 2))
        low, high = np.inf, -np.inf
        for p in range(len(points)):
            flat[p, 0] = (points[p] * one).sum()
            flat[p, 1] = (points[p] * other).sum()
            height = (points[p] * normal).sum()
            low, high = min(low, height), max(high, height)
        ring = _hull(flat)
        for e in range(len(ring)):
            start, stop = ring[e], ring[(e + 1) % len(ring)]
            dx, dy = stop[0] - start[0], stop[1] - start[1]
            length = np.sqrt(dx * dx + dy * dy)
            if length == 0:
                continue
            dx, dy = dx / length, dy / length
            left, right, far = np.inf, -np.inf, 0.0
            for p in range(len(ring)):
                x, y = ring[p, 0] - start[0], ring[p, 1] - start[1]
                along = x * dx + y * dy
                left, right = min(left, along), max(right, along)
                far = max(far, abs(y * dx - x * dy))
            volume = (right - left) * far * (high - low)
            if volume < least:
                least = volume
                best[0], best[1], best[2] = right - left, far, high - low
    return best


@njit(cache=True)
def _hull(flat: np.ndarray) -> np.ndarray:
    """The corners of the convex hull of points in a plane, in order: Andrew's monotone chain."""
    by_row = flat[np.argsort(flat[:, 1], kind="mergesort")]
    ordered = by_row[np.argsort(by_row[:, 0], kind="mergesort")]
    n = len(ordered)
    ring = np.empty((2 * n + 1, 2))
    size = 0
    for turn in range(2):
        base = size
        for step in range(n):
            point = ordered[step] if turn == 0 else ordered[n - 1 - step]
            while size - base >= 2:
                ax, ay = ring[size - 1, 0] - ring[size - 2, 0], ring[size - 1, 1] - ring[size - 2, 1]
                bx, by = point[0] - ring[size - 1, 0], point[1] - ring[size - 1, 1]
                if ax * by - ay * bx > 0:
                    break
                size -= 1
            ring[size] = point
            size += 1
        size -= 1
    return ring[:size].copy()
