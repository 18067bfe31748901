"""The loops of projection and back-projection, compiled.

Joseph's projector (IEEE Trans Med Imaging 1982;1:192): along the axis that a ray follows more closely, one linear
interpolation per row or column. Forward and back run over the same numbers, so that one is the transpose of the other.
"""

import numpy as np
from numba import njit, prange

_ROWS_AT_ONCE = 8


@njit(cache=True, parallel=True, fastmath=True, error_model="numpy")
def project_lines(image, start, step, weight):  # type: ignore[no-untyped-def]
    """Sum along rays: at row r of the image a ray lies at column start + step * r; (rays,) of (rows, columns)."""
    rows, columns = image.shape
    out = np.zeros(len(start), image.dtype)
    for ray in prange(len(start)):
        total = 0.0
        first, slope = start[ray], step[ray]
        for row in range(rows):
            place = first + slope * row
            if -1 < place < columns:
                left = int(np.floor(place))
                share = place - left
                if left >= 0:
                    total += (1 - share) * image[row, left]
                if left + 1 < columns:
                    total += share * image[row, left + 1]
        out[ray] = total * weight[ray]
    return out


@njit(cache=True, parallel=True, fastmath=True, error_model="numpy")
def smear_lines(values, start, step, weight, image):  # type: ignore[no-untyped-def]
    """Add the transpose of `project_lines` to the image; a thread owns some rows, so no two write to one pixel."""
    rows, columns = image.shape
    for block in prange((rows + _ROWS_AT_ONCE - 1) // _ROWS_AT_ONCE):
        low, high = block * _ROWS_AT_ONCE, min(rows, (block + 1) * _ROWS_AT_ONCE)
        for ray in range(len(start)):
            value = values[ray] * weight[ray]
            first, slope = start[ray], step[ray]
            for row in range(low, high):
                place = first + slope * row
                if -1 < place < columns:
                    left = int(np.floor(place))
                    share = place - left
                    if left >= 0:
                        image[row, left] += (1 - share) * value
                    if left + 1 < columns:
                        image[row, left + 1] += share * value


@njit(cache=True, parallel=True)
def refine_table(views, weights, low, factor, length):  # type: ignore[no-untyped-def]
    """Each view times its weight, sampled `factor` times finer by linear interpolation; (views, length) float32.

    low   entries before the first bin; outside the bins the table is zero
    """
    n_views, n_bins = views.shape
    table = np.zeros((n_views, length), np.float32)
    for view in prange(n_views):
        weight = weights[view]
        for k in range(n_bins - 1):
            value, rise = weight * views[view, k], weight * (views[view, k + 1] - views[view, k]) / factor
            at = low + k * factor
            for fine in range(factor):
                table[view, at + fine] = value + rise * fine
        table[view, low + (n_bins - 1) * factor] = weight * views[view, n_bins - 1]
    return table


@njit(cache=True, parallel=True, fastmath=True, error_model="numpy")
def back_project_parallel(table, origin, per_row, per_column, bits, out):  # type: ignore[no-untyped-def]
    """Sum over views of the table's entry under each pixel, nearest; places are whole numbers of 2**-bits entries.

    Tiles keep the image and the touched part of the table in the first cache; two views at a time halve the traffic.
    """
    rows, columns = out.shape
    n_pairs = table.shape[0] // 2
    across = (columns + 127) // 128
    shift = np.uint32(bits)
    for tile in prange(((rows + 31) // 32) * across):
        top, left = (tile // across) * 32, (tile % across) * 128
        height, width = min(32, rows - top), min(128, columns - left)
        total = np.zeros((32, 128), np.float32)
        for pair in range(n_pairs):
            one, two = table[2 * pair], table[2 * pair + 1]
            step_one, step_two = np.uint32(per_column[2 * pair]), np.uint32(per_column[2 * pair + 1])
            for row in range(height):
                y = top + row
                at_one = np.uint32(origin[2 * pair] + y * per_row[2 * pair] + left * per_column[2 * pair])
                at_two = np.uint32(origin[2 * pair + 1] + y * per_row[2 * pair + 1] + left * per_column[2 * pair + 1])
                line = total[row]
                for x in range(width):
                    line[x] += (
                        one[np.uint32(at_one + x * step_one) >> shift] + two[np.uint32(at_two + x * step_two) >> shift]
                    )
        out[top : top + height, left : left + width] = total[:height, :width]


@njit(cache=True, parallel=True, fastmath=True, error_model="numpy")
def back_project_fan(views, cosine, sine, source, magnified, out):  # type: ignore[no-untyped-def]
    """Sum over views of the filtered value under each pixel, linear, over the squared relative distance.

    All lengths in pixels but `magnified`, the source-to-detector distance in bins; the image's centre is the origin.
    """
    rows, columns = out.shape
    n_views, n_bins = views.shape
    middle = (n_bins - 1) / 2
    for row in prange(rows):
        y = (rows - 1) / 2 - row
        for view in range(n_views):
            c, s = cosine[view], sine[view]
            values = views[view]
            for column in range(columns):
                x = column - (columns - 1) / 2
                depth = source - x * s + y * c
                place = (x * c + y * s) * magnified / depth + middle
                if 0 <= place <= n_bins - 1:
                    left = min(int(place), n_bins - 2)
                    share = np.float32(place - left)
                    ratio = np.float32(source / depth)
                    out[row, column] += (values[left] + share * (values[left + 1] - values[left])) * ratio * ratio
