"""Loops over the triangles and corners of a mask's mesh."""

import numpy as np
from numba import njit


@njit(cache=True)
def sum_triangles(
    padded: np.ndarray, triangles: np.ndarray, starts: np.ndarray, spacing: np.ndarray
) -> tuple[float, float]:
    """(volume, area) of the mesh.

    padded      bool with one voxel of outside all around
    triangles   (n, 3, 3) points in the cube, by case; `starts` (257,) says where each case begins
    """
    volume, area = 0.0, 0.0
    scaled = triangles * spacing
    for k in range(padded.shape[0] - 1):
        for j in range(padded.shape[1] - 1):
            for i in range(padded.shape[2] - 1):
                case = 0
                for corner in range(8):
                    if padded[k + (corner >> 2 & 1), j + (corner >> 1 & 1), i + (corner & 1)]:
                        case |= 1 << corner
                if case in (0, 255):
                    continue
                z, y, x = k * spacing[0], j * spacing[1], i * spacing[2]
                for t in range(starts[case], starts[case + 1]):
                    az, ay, ax = scaled[t, 0, 0], scaled[t, 0, 1], scaled[t, 0, 2]
                    uz, uy, ux = scaled[t, 1, 0] - az, scaled[t, 1, 1] - ay, scaled[t, 1, 2] - ax
                    vz, vy, vx = scaled[t, 2, 0] - az, scaled[t, 2, 1] - ay, scaled[t, 2, 2] - ax
                    nz, ny, nx = uy * vx - ux * vy, ux * vz - uz * vx, uz * vy - uy * vz
                    area += 0.5 * np.sqrt(nz * nz + ny * ny + nx * nx)
                    volume += ((z + az) * nz + (y + ay) * ny + (x + ax) * nx) / 6.0
    return volume, area


@njit(cache=True)
def largest_square(points: np.ndarray) -> float:
    """The largest squared distance between any two of the points, (n, 3)."""
    largest = 0.0
    for n in range(len(points)):
        z, y, x = points[n, 0], points[n, 1], points[n, 2]
        for m in range(n):
            dz, dy, dx = points[m, 0] - z, points[m, 1] - y, points[m, 2] - x
            largest = max(largest, dz * dz + dy * dy + dx * dx)
    return largest


@njit(cache=True)
def largest_square_in_planes(padded: np.ndarray, row_mm: float, column_mm: float) -> float:
    """The largest squared distance between two mesh vertices in one plane of the first axis.

    padded   bool with one voxel of outside all around

    In a plane through voxel centres the vertices lie half a voxel beyond the ends of rows and columns; between two
    planes they lie where one is inside and the other is not. Only the ends of lines can be furthest apart.
    """
    n_planes, rows, columns = padded.shape
    largest = 0.0
    ends = np.empty((2 * (rows + columns), 2))
    tops, bottoms = np.empty(columns, dtype=np.int64), np.empty(columns, dtype=np.int64)
    for plane in range(2 * n_planes - 1):
        low, high = padded[plane // 2], padded[(plane + 1) // 2]
        is_centre = plane % 2 == 0
        half = 0.5 if is_centre else 0.0
        tops[:], bottoms[:] = -1, -1
        count = 0
        for j in range(rows):
            first, last = -1, -1
            for i in range(columns):
                if low[j, i] if is_centre else low[j, i] != high[j, i]:
                    first, last = (i if first < 0 else first), i
                    tops[i], bottoms[i] = (j if tops[i] < 0 else tops[i]), j
            if first >= 0:
                ends[count, 0], ends[count, 1] = j * row_mm, (first - half) * column_mm
                ends[count + 1, 0], ends[count + 1, 1] = j * row_mm, (last + half) * column_mm
                count += 2
        for i in range(columns if is_centre else 0):
            if tops[i] >= 0:
                ends[count, 0], ends[count, 1] = (tops[i] - 0.5) * row_mm, i * column_mm
                ends[count + 1, 0], ends[count + 1, 1] = (bottoms[i] + 0.5) * row_mm, i * column_mm
                count += 2
        for n in range(count):
            for m in range(n):
                dy, dx = ends[n, 0] - ends[m, 0], ends[n, 1] - ends[m, 1]
                largest = max(largest, dy * dy + dx * dx)
    return largest
