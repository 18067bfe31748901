"""The loops of smoothing: the median of 27 and a separable filter in one walk through memory (numba)."""

import numpy as np
from numba import njit, prange


@njit(cache=True, nogil=True, inline="always")
def _low(a, b):  # type: ignore[no-untyped-def]
    return a if a < b else b


@njit(cache=True, nogil=True, inline="always")
def _high(a, b):  # type: ignore[no-untyped-def]
    return b if a < b else a


@njit(cache=True, nogil=True, inline="always")
def _middle(a, b, c):  # type: ignore[no-untyped-def]
    return _high(_low(a, b), _low(_high(a, b), c))


# The median works in lines of this many voxels that lie at fixed places in few arrays: only then does the compiler see
# that they do not overlap, and uses vector instructions. A line yields two voxels less.
_LINE = 272


@njit(cache=True, nogil=True)
def _sort_slices(raw: np.ndarray, triple: np.ndarray) -> None:
    """Three lines sorted place by place, ascending."""
    for i in range(_LINE):
        a, b, c = raw[i], raw[_LINE + i], raw[2 * _LINE + i]
        p, q = _low(a, b), _high(a, b)
        r = _low(q, c)
        triple[i] = _low(p, r)
        triple[_LINE + i] = _high(p, r)
        triple[2 * _LINE + i] = _high(q, c)


@njit(cache=True, nogil=True)
def _sort_columns(first: np.ndarray, second: np.ndarray, third: np.ndarray, nine: np.ndarray) -> None:
    """Three rows' ascending triples merged place by place to nine ascending values.

    After the rows of the 3 x 3 table of triples are sorted its columns still are, so that its corners are the extremes
    and few comparisons are left.
    """
    for i in range(_LINE):
        a, b, c = first[i], second[i], third[i]
        p, q = _low(a, b), _high(a, b)
        r = _low(q, c)
        a0, a1, a2 = _low(p, r), _high(p, r), _high(q, c)
        a, b, c = first[_LINE + i], second[_LINE + i], third[_LINE + i]
        p, q = _low(a, b), _high(a, b)
        r = _low(q, c)
        b0, b1, b2 = _low(p, r), _high(p, r), _high(q, c)
        a, b, c = first[2 * _LINE + i], second[2 * _LINE + i], third[2 * _LINE + i]
        p, q = _low(a, b), _high(a, b)
        r = _low(q, c)
        c0, c1, c2 = _low(p, r), _high(p, r), _high(q, c)
        # a0 is the least and c2 the greatest; the second is a1 or b0, the eighth b2 or c1.
        t, u = _high(a1, b0), _low(b2, c1)
        # Five are left in the middle: t <= b1 <= u and a2, c0; t is below one of those, u above one of them.
        p, q = _low(a2, c0), _high(a2, c0)
        x, y = _high(t, p), _low(u, q)
        d = _high(x, b1)
        nine[i], nine[_LINE + i] = a0, _low(a1, b0)
        nine[2 * _LINE + i], nine[3 * _LINE + i] = _low(t, p), _low(x, b1)
        nine[4 * _LINE + i], nine[5 * _LINE + i] = _low(d, y), _high(d, y)
        nine[6 * _LINE + i], nine[7 * _LINE + i] = _high(u, q), _high(b2, c1)
        nine[8 * _LINE + i] = c2


@njit(cache=True, nogil=True)
def _median_of_columns(nine: np.ndarray, line: np.ndarray) -> None:
    """The median of 27: of a place's nine ascending values and those of its two right neighbours.

    With the three columns' values of each rank sorted too, a value of rank i and place j has (i + 1)(j + 1) - 1 values
    known to be no greater and (9 - i)(3 - j) - 1 known to be no less; where either reaches 14 it is not the median.
    Seven go at each end, and the median of 13 is left: l5 … l8, m2 … m6, h0 … h3.
    """
    for i in range(_LINE):
        n = i
        h0 = _high(_high(nine[n], nine[n + 1]), nine[n + 2])
        n = _LINE + i
        h1 = _high(_high(nine[n], nine[n + 1]), nine[n + 2])
        n = 2 * _LINE + i
        a, b, c = nine[n], nine[n + 1], nine[n + 2]
        m2, h2 = _middle(a, b, c), _high(_high(a, b), c)
        n = 3 * _LINE + i
        a, b, c = nine[n], nine[n + 1], nine[n + 2]
        m3, h3 = _middle(a, b, c), _high(_high(a, b), c)
        n = 4 * _LINE + i
        m4 = _middle(nine[n], nine[n + 1], nine[n + 2])
        n = 5 * _LINE + i
        a, b, c = nine[n], nine[n + 1], nine[n + 2]
        m5, l5 = _middle(a, b, c), _low(_low(a, b), c)
        n = 6 * _LINE + i
        a, b, c = nine[n], nine[n + 1], nine[n + 2]
        m6, l6 = _middle(a, b, c), _low(_low(a, b), c)
        n = 7 * _LINE + i
        l7 = _low(_low(nine[n], nine[n + 1]), nine[n + 2])
        n = 8 * _LINE + i
        l8 = _low(_low(nine[n], nine[n + 1]), nine[n + 2])
        # l upwards and h downwards make a bitonic row of eight: p holds its four least, q its four greatest.
        p0, q0 = _low(l5, h3), _high(l5, h3)
        p1, q1 = _low(l6, h2), _high(l6, h2)
        p2, q2 = _low(l7, h1), _high(l7, h1)
        p3, q3 = _low(l8, h0), _high(l8, h0)
        a, b, c, d = _low(p0, p2), _low(p1, p3), _high(p0, p2), _high(p1, p3)
        s1, s2, s3 = _high(a, b), _low(c, d), _high(c, d)
        a, b, c, d = _low(q0, q2), _low(q1, q3), _high(q0, q2), _high(q1, q3)
        t0, t1, t2 = _low(a, b), _high(a, b), _low(c, d)
        # The seventh of the eight (…, s1, s2, s3, t0, t1, t2, …) and of m2 … m6: over all ways to take seven from the
        # low ends of both, the least of the greatest taken.
        best = _low(_high(s1, m6), _high(s2, m5))
        best = _low(best, _high(s3, m4))
        best = _low(best, _high(t0, m3))
        best = _low(best, _high(t1, m2))
        line[i] = _low(best, t2)


@njit(cache=True, nogil=True)
def _load_line(row: np.ndarray, start: int, raw: np.ndarray, at: int) -> None:
    """Copy a row from one place before `start` into the line at `at`; its ends repeat beyond the border."""
    first = start - 1
    low, high = max(0, first), min(row.size, first + _LINE)
    line = raw[at : at + _LINE]
    # Views of one length, and no index that might be negative: else the copy is done one by one.
    given, taken = row[low:high], line[low - first : high - first]
    for i in range(given.size):
        taken[i] = given[i]
    line[: low - first] = row[0]
    line[high - first :] = row[row.size - 1]


@njit(cache=True, nogil=True)
def _load_triple(three: tuple, start: int, raw: np.ndarray, triple: np.ndarray) -> None:  # type: ignore[type-arg]
    """One row of three slices, sorted."""
    _load_line(three[0], start, raw, 0)
    _load_line(three[1], start, raw, _LINE)
    _load_line(three[2], start, raw, 2 * _LINE)
    _sort_slices(raw, triple)


@njit(cache=True, nogil=True, parallel=True)
def median_27(array: np.ndarray, out: np.ndarray) -> None:
    """The median over 3 x 3 x 3 voxels; beyond the border the outermost voxels repeat.

    array, out   (slices, rows, columns) of one type; out is written
    """
    slices, rows, columns = array.shape
    for k in prange(slices):
        above, here, below = array[max(k - 1, 0)], array[k], array[min(k + 1, slices - 1)]
        raw, line = np.empty(3 * _LINE, array.dtype), np.empty(_LINE, array.dtype)
        # The triples of a row stand in the place of its number modulo 3.
        triples = np.empty((3, 3 * _LINE), array.dtype)
        # Two more than nine lines: the last places of the last line look at two right neighbours.
        nine = np.zeros(9 * _LINE + 2, array.dtype)
        for start in range(0, columns, _LINE - 2):
            stop = min(start + _LINE - 2, columns)
            _load_triple((above[0], here[0], below[0]), start, raw, triples[0])
            for j in range(rows):
                after = min(j + 1, rows - 1)
                if after > j:
                    _load_triple((above[after], here[after], below[after]), start, raw, triples[after % 3])
                _sort_columns(triples[max(j - 1, 0) % 3], triples[j % 3], triples[after % 3], nine)
                _median_of_columns(nine, line)
                row = out[k, j, start:stop]
                for i in range(row.size):
                    row[i] = line[i]


@njit(cache=True, nogil=True, fastmath=True)
def _weigh_rows(rows: np.ndarray, first: int, kernel: np.ndarray, out: np.ndarray) -> None:
    """The weighted sum of rows (first - reach … first + reach, held in a ring) under an even kernel.

    kernel   its middle weight first, then outwards
    """
    size, n_rows = out.size, rows.shape[0]
    middle = rows[first % n_rows]
    weight = kernel[0]
    for i in range(size):
        out[i] = weight * middle[i]
    reach = kernel.size - 1
    step = 1
    while step + 1 <= reach:
        a, b = rows[(first - step) % n_rows], rows[(first + step) % n_rows]
        c, d = rows[(first - step - 1) % n_rows], rows[(first + step + 1) % n_rows]
        near, far = kernel[step], kernel[step + 1]
        for i in range(size):
            out[i] += near * (a[i] + b[i]) + far * (c[i] + d[i])
        step += 2
    if step <= reach:
        a, b = rows[(first - step) % n_rows], rows[(first + step) % n_rows]
        near = kernel[step]
        for i in range(size):
            out[i] += near * (a[i] + b[i])


@njit(cache=True, nogil=True, fastmath=True)
def _weigh_columns(padded: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
    """The weighted sum along a row that is padded by the kernel's reach at both ends."""
    size, reach = out.size, kernel.size - 1
    weight = kernel[0]
    for i in range(size):
        out[i] = weight * padded[i + reach]
    step = 1
    while step + 1 <= reach:
        near, far = kernel[step], kernel[step + 1]
        a, b = padded[reach - step :], padded[reach + step :]
        c, d = padded[reach - step - 1 :], padded[reach + step + 1 :]
        for i in range(size):
            out[i] += near * (a[i] + b[i]) + far * (c[i] + d[i])
        step += 2
    if step <= reach:
        near = kernel[step]
        a, b = padded[reach - step :], padded[reach + step :]
        for i in range(size):
            out[i] += near * (a[i] + b[i])


@njit(cache=True, nogil=True)
def _filter_plane(plane: np.ndarray, start: int, kernels: tuple, out: np.ndarray) -> None:  # type: ignore[type-arg]
    """Some rows of a slice, from row `start`, filtered along columns and rows."""
    along_j, along_i = kernels
    rows, columns = plane.shape
    reach_j, reach_i = along_j.size - 1, along_i.size - 1
    strip = np.empty((out.shape[0] + 2 * reach_j, columns), np.float32)
    for n in range(strip.shape[0]):
        source = plane[min(max(start + n - reach_j, 0), rows - 1)]
        for i in range(columns):
            strip[n, i] = source[i]
    padded = np.empty(columns + 2 * reach_i, np.float32)
    for n in range(out.shape[0]):
        inner = padded[reach_i : reach_i + columns]
        _weigh_rows(strip, n + reach_j, along_j, inner)
        for i in range(reach_i):
            padded[i], padded[reach_i + columns + i] = inner[0], inner[columns - 1]
        _weigh_columns(padded, along_i, out[n])


@njit(cache=True, nogil=True, parallel=True)
def separable_filter(
    array: np.ndarray, along_k: np.ndarray, along_j: np.ndarray, along_i: np.ndarray, out: np.ndarray
) -> None:
    """Even kernels along slices, rows and columns in one walk; beyond the border the outermost voxels repeat.

    array    (slices, rows, columns), any type
    along_…  weights from the middle outwards, float32
    out      float32, written

    A strip of rows goes through all slices; its filtered planes stay in a ring that the processor's cache holds.
    """
    slices, rows, columns = array.shape
    reach = along_k.size - 1
    height = 32
    n_strips = (rows + height - 1) // height
    for strip in prange(n_strips):
        start = strip * height
        stop = min(start + height, rows)
        n_ring = 2 * reach + 1
        ring = np.empty((n_ring, stop - start, columns), np.float32)
        flat = ring.reshape(n_ring, (stop - start) * columns)
        for k in range(-reach, slices + reach):
            slot, before = (k + reach) % n_ring, (k + reach - 1) % n_ring
            if k == -reach or 0 < k < slices:
                _filter_plane(array[max(k, 0)], start, (along_j, along_i), ring[slot])
            else:
                flat[slot] = flat[before]
            if k >= reach:
                _weigh_rows(flat, k, along_k, out[k - reach, start:stop].reshape(-1))
