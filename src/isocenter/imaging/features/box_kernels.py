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
    flat, ring = np.empty((len(points), 2)), np.empty((len(points), 2))
    for n in range(len(normals)):
        nz, ny, nx = normals[n, 0], normals[n, 1], normals[n, 2]
        # Two directions in the plane: across the normal and the axis that it is furthest from, and across both.
        if abs(nz) <= abs(ny) and abs(nz) <= abs(nx):
            uz, uy, ux = 0.0, nx, -ny
        elif abs(ny) <= abs(nx):
            uz, uy, ux = -nx, 0.0, nz
        else:
            uz, uy, ux = ny, -nz, 0.0
        length = np.sqrt(uz * uz + uy * uy + ux * ux)
        uz, uy, ux = uz / length, uy / length, ux / length
        vz, vy, vx = ny * ux - nx * uy, nx * uz - nz * ux, nz * uy - ny * uz
        low, high = np.inf, -np.inf
        for p in range(len(points)):
            z, y, x = points[p, 0], points[p, 1], points[p, 2]
            flat[p, 0], flat[p, 1] = z * uz + y * uy + x * ux, z * vz + y * vy + x * vx
            height = z * nz + y * ny + x * nx
            low, high = min(low, height), max(high, height)
        size = _outline(flat, ring)
        for e in range(size):
            following = (e + 1) % size
            dx, dy = ring[following, 0] - ring[e, 0], ring[following, 1] - ring[e, 1]
            length = np.sqrt(dx * dx + dy * dy)
            if length == 0:
                continue
            dx, dy = dx / length, dy / length
            left, right, far = np.inf, -np.inf, 0.0
            for p in range(size):
                x, y = ring[p, 0] - ring[e, 0], ring[p, 1] - ring[e, 1]
                along = x * dx + y * dy
                left, right = min(left, along), max(right, along)
                far = max(far, abs(y * dx - x * dy))
            volume = (right - left) * far * (high - low)
            if volume < least:
                least = volume
                best[0], best[1], best[2] = right - left, far, high - low
    return best


@njit(cache=True)
def _outline(flat: np.ndarray, ring: np.ndarray) -> int:
    """Write the corners of the convex hull of points in a plane into `ring`, in order; how many (Jarvis' march)."""
    n = len(flat)
    start = 0
    for p in range(n):
        if flat[p, 0] < flat[start, 0] or (flat[p, 0] == flat[start, 0] and flat[p, 1] < flat[start, 1]):
            start = p
    here, size = start, 0
    while size < n:
        ring[size, 0], ring[size, 1] = flat[here, 0], flat[here, 1]
        size += 1
        best, bx, by = here, 0.0, 0.0
        for p in range(n):
            x, y = flat[p, 0] - flat[here, 0], flat[p, 1] - flat[here, 1]
            turn = bx * y - by * x
            if turn < 0 or (turn == 0 and x * x + y * y > bx * bx + by * by):
                best, bx, by = p, x, y
        here = best
        if flat[here, 0] == flat[start, 0] and flat[here, 1] == flat[start, 1]:
            break
    return size
