"""Denoising by groups of alike patches (BM3D; cubes of voxels in a volume, as BM4D does).

Patches that look alike are stacked and shrunk together, first by a threshold in a common spectrum, then once more by
the Wiener filter whose covariance is that of the same patches in the first result.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

Three = tuple[int, int, int]
# Patch and step between reference patches.
Tiling = tuple[Three, Three]
# Search reach in voxels, tiling of the first pass, tilings of the second, whose results are added up.
Geometry = tuple[Three, Tiling, tuple[Tiling, ...]]

# Pictures, and volumes of about cubic voxels.
_FLAT: Final = ((0, 16, 16), ((1, 8, 8), (1, 3, 3)), (((1, 8, 8), (1, 4, 4)), ((1, 5, 5), (1, 3, 3))))
_SOLID: Final = ((3, 3, 3), ((4, 4, 4), (3, 3, 3)), (((4, 4, 4), (3, 3, 3)),))
# Thick slices: flat patches, also from the two slices on either side.
_THICK: Final = ((2, 6, 6), ((1, 8, 8), (1, 4, 4)), (((1, 6, 6), (1, 3, 3)),))
_THRESHOLD: Final = 2.7
_FIRST_GROUP: Final = 16
_SECOND_GROUP: Final = 32
_KAISER_BETA: Final = 2.0
# Axes at least this long are also worked on at half the resolution; this share of its spectrum is taken from there,
# less and less towards its end.
_SHORTEST_SPLIT: Final = 32
_COARSE_SHARE: Final = 0.5
# A slice this much thicker than a pixel is wide makes patches flat.
_THICK_RATIO: Final = 2.5


def denoise_bm3d(array: np.ndarray, *, sigma: float, spacing_mm: Sequence[float] | None = None) -> np.ndarray:
    """The array without additive white Gaussian noise of a known deviation, float32.

    array        (slices, rows, columns); one slice is a picture
    sigma        deviation of the noise, in the array's unit
    spacing_mm   along (slices, rows, columns): slices much thicker than pixels get flat patches

    Source: Dabov et al., IEEE Trans. Image Process. 2007;16(8):2080-2095 (two steps, threshold 2.7, Kaiser window);
    Maggioni et al., IEEE Trans. Image Process. 2013;22(1):119-133 (cubes in volumes); Lebrun, Buades & Morel, SIAM J.
    Imaging Sci. 2013;6(3):1665-1688 (the covariance of alike patches in the second step); Facciolo, Pierazzo & Morel,
    SIAM J. Imaging Sci. 2017;10(3):1603-1626 (coarse scales put together in the cosine domain).
    """
    noisy = np.ascontiguousarray(array, dtype=np.float32)
    if not sigma > 0:
        return noisy.copy()
    geometry = _fit_geometry(noisy.shape, spacing_mm)
    # Unit noise keeps the arithmetic in single precision whatever the image's unit.
    centre = np.float32(noisy.mean(dtype=np.float64))
    noisy = (noisy - centre) * np.float32(1 / sigma)
    clean = _mend_coarse(noisy, _denoise_unit(noisy, geometry), geometry)
    return clean * np.float32(sigma) + centre


def _denoise_unit(noisy: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Both passes over an array whose noise has deviation 1."""
    reach, first, second = geometry
    pilot = _run(noisy, None, reach, (first,))
    return _run(noisy, pilot, reach, second)


def _mend_coarse(noisy: np.ndarray, clean: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The result with its lowest frequencies from the same work at half the resolution, where patches see twice as far.

    Patches are too small to tell slow variation from slow noise; half the resolution is the low half of the cosine
    spectrum, in which the noise is still white and has deviation 1.
    """
    from scipy.fft import dctn, idctn

    patch = geometry[1][0]
    axes = [axis for axis in range(3) if patch[axis] > 1 and noisy.shape[axis] >= _SHORTEST_SPLIT]
    if not axes:
        return clean
    half = tuple(slice(0, (size + 1) // 2) if axis in axes else slice(None) for axis, size in enumerate(noisy.shape))
    coarse = idctn(dctn(noisy, axes=axes, norm="ortho")[half], axes=axes, norm="ortho")
    better = dctn(_denoise_unit(np.ascontiguousarray(coarse), geometry), axes=axes, norm="ortho")
    share = _low_share(better.shape, axes)
    spectrum = dctn(clean, axes=axes, norm="ortho")
    spectrum[half] += share * (better - spectrum[half])
    return np.asarray(idctn(spectrum, axes=axes, norm="ortho"), dtype=np.float32)


def _low_share(shape: tuple[int, ...], axes: Sequence[int]) -> np.ndarray:
    """How much of each frequency comes from the coarse result: all at 0, none from _COARSE_SHARE on, in between a
    cosine's square; float32, to multiply a spectrum of that shape with."""
    square = np.zeros((1, 1, 1), dtype=np.float32)
    for axis in axes:
        along = [-1 if other == axis else 1 for other in range(3)]
        square = square + np.square(np.arange(shape[axis]) / (_COARSE_SHARE * shape[axis])).reshape(along)
    return np.asarray(np.square(np.cos(np.pi / 2 * np.sqrt(np.minimum(square, 1)))), dtype=np.float32)


def _fit_geometry(shape: tuple[int, ...], spacing_mm: Sequence[float] | None) -> Geometry:
    """Reach, patches and steps for an array of this shape."""
    ratio = 1.0 if spacing_mm is None else float(spacing_mm[0]) / float(min(spacing_mm[1:]))
    return _FLAT if shape[0] == 1 else _THICK if shape[0] < 4 or ratio > _THICK_RATIO else _SOLID


def _run(noisy: np.ndarray, pilot: np.ndarray | None, reach: Three, tilings: tuple[Tiling, ...]) -> np.ndarray:
    """One pass over all reference patches: by a threshold, or by a Wiener filter where there is a pilot."""
    sums = np.zeros_like(noisy), np.zeros_like(noisy)
    for wished, step in tilings:
        j, i = (min(size, length) for size, length in zip(wished[1:], noisy.shape[1:], strict=True))
        _add_groups((noisy, pilot), (min(wished[0], noisy.shape[0]), j, i), step, reach, sums)
    return np.asarray(sums[0] / sums[1])


def _add_groups(
    images: tuple[np.ndarray, np.ndarray | None],
    patch: Three,
    step: Three,
    reach: Three,
    sums: tuple[np.ndarray, np.ndarray],
) -> None:
    """Add the shrunk patches of one tiling and their weights to the sums."""
    from isocenter.imaging.denoise_bm3d_kernels import run_band

    noisy, pilot = images
    refs = tuple(_starts(length - size, stride) for length, size, stride in zip(noisy.shape, patch, step, strict=True))
    most = _FIRST_GROUP if pilot is None else _SECOND_GROUP
    axis = 0 if patch[0] > 1 else 1
    edges = _band_edges(refs[axis], 2 * reach[axis] + patch[axis])
    window: np.ndarray = np.ones(1)
    transform: np.ndarray = np.ones((1, 1))
    for size in patch:
        window = np.kron(window, np.kaiser(size, _KAISER_BETA) if size > 1 else np.ones(1))
        transform = np.kron(transform, _haar(size) if pilot is None else _cosines(size))
    maths = (transform.astype(np.float32), window.astype(np.float32), _stacks(most))
    guide = noisy if pilot is None else pilot

    def run(band: int) -> None:
        part = [*refs]
        part[axis] = refs[axis][edges[band] : edges[band + 1]]
        run_band(
            (noisy, guide), tuple(part), (patch, reach, most), maths, (np.float32(_THRESHOLD), pilot is not None), sums
        )

    # Bands of one parity touch no common voxel: any number of threads gives the same result.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for parity in range(2):
            list(threads.map(run, range(parity, len(edges) - 1, 2)))


def _starts(last: int, stride: int) -> np.ndarray:
    """0, stride, … and the last place that a patch may begin at."""
    return np.unique(np.append(np.arange(0, last + 1, stride), last))


def _band_edges(starts: np.ndarray, reach: int) -> np.ndarray:
    """Cuts between reference numbers, each band taller than what its patches reach to either side."""
    edges = [0]
    for number, start in enumerate(starts):
        if start - starts[edges[-1]] > reach:
            edges.append(number)
    if len(edges) > 1 and starts[-1] - starts[edges[-1]] <= reach:
        edges.pop()
    return np.array([*edges, len(starts)])


def _cosines(size: int) -> np.ndarray:
    """The orthonormal DCT-II, (size, size)."""
    n, k = np.meshgrid(np.arange(size), np.arange(size))
    matrix = np.cos(np.pi * (2 * n + 1) * k / (2 * size)) * np.sqrt(2 / size)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix)


def _haar(size: int) -> np.ndarray:
    """The orthonormal Haar transform of a power of two, else the cosines, (size, size)."""
    return _stacks(size)[-1] if size & (size - 1) == 0 else _cosines(size)


def _stacks(most: int) -> np.ndarray:
    """Orthonormal Haar transforms of 1, 2, 4 … most entries, (order, most, most)."""
    made = [np.ones((1, 1))]
    while len(made[-1]) < most:
        low = np.kron(made[-1], (1.0, 1.0))
        high = np.kron(np.eye(len(made[-1])), (1.0, -1.0))
        made.append(np.vstack((low, high)) / np.sqrt(2))
    stacks = np.zeros((len(made), most, most), dtype=np.float32)
    for order, matrix in enumerate(made):
        stacks[order, : len(matrix), : len(matrix)] = matrix
    return stacks
