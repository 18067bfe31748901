"""Filters that run along one axis after the other: mean, Laplacian of Gaussian, Laws, wavelets without decimation.

Directions are counted as IBSI does: columns (k1), rows (k2), slices (k3), so axis 2, 1, 0 of an array.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_pooling import pool_responses
from isocenter.imaging.features.filters_settings import Boundary, FilterSettings, Pooling
from isocenter.imaging.features.wavelet_tables import wavelet_filters

# The boundary conditions of IBSI-2 in scipy's words; both mirrors repeat the outermost voxel.
MODES: Final[dict[Boundary, str]] = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
# Laws' one-dimensional kernels, each of length 1 (Laws 1980; IBSI-2 table 3.1, normalised).
LAWS: Final[dict[str, tuple[int, ...]]] = {
    "L3": (1, 2, 1),
    "L5": (1, 4, 6, 4, 1),
    "E3": (-1, 0, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S3": (-1, 2, -1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}

# What runs along one direction, one kernel after the other.
Passes = Sequence[np.ndarray]


def respond_mean(array: np.ndarray, settings: FilterSettings, _spacing: Callable[[], tuple[float, ...]]) -> np.ndarray:
    """The mean over an odd number of voxels along each direction.

    Source: IBSI-2 reference manual, S60F.
    """
    return average(array, settings.support, dimension=settings.dimension, boundary=settings.boundary)


def respond_log(array: np.ndarray, settings: FilterSettings, spacing: Callable[[], tuple[float, ...]]) -> np.ndarray:
    """The Laplacian of Gaussian: bright blobs negative, dark ones positive; per squared voxel of a row.

    Its support is a cube, as IBSI's is. Where voxels are not cubes, sigma is the same in millimetres along each
    direction and the unit of length is the distance between columns.

    Source: IBSI-2 reference manual, L6PA.
    """
    sigmas = settings.length_voxels("sigma", spacing)[: settings.dimension]
    smooth, curved = array, np.zeros_like(array)
    for direction, sigma in enumerate(sigmas):
        reach = int(np.floor(settings.cutoff * sigma + 0.5))
        x2 = (np.arange(-reach, reach + 1) / sigma) ** 2
        bell = np.exp(-x2 / 2) / (np.sqrt(2 * np.pi) * sigma)
        bend = bell * (x2 - 1) / sigmas[0] ** 2
        curved = convolve(curved, [bell], direction, settings.boundary)
        curved += convolve(smooth, [bend], direction, settings.boundary)
        smooth = convolve(smooth, [bell], direction, settings.boundary)
    return curved


def respond_laws(array: np.ndarray, settings: FilterSettings, _spacing: Callable[[], tuple[float, ...]]) -> np.ndarray:
    """The response to Laws kernels, or its energy: the mean of its absolute value around each voxel.

    Source: IBSI-2 reference manual, JTXT; Laws, Textured image segmentation, USC report 940 (1980).
    """
    missing = [name for name in settings.kernels if name not in LAWS]
    if missing:
        raise InputError(f"kernels: expected Laws kernels among {' '.join(LAWS)}, got {' '.join(missing)}")
    kernels = [np.asarray(LAWS[name]) / np.linalg.norm(LAWS[name]) for name in settings.kernels]
    response = respond_rotated(array, [[kernel] for kernel in kernels], settings.boundary, settings.pooling)
    if settings.energy_distance == 0:
        return response
    size = 2 * settings.energy_distance + 1
    return average(np.abs(response), size, dimension=settings.dimension, boundary=settings.boundary)


def respond_wavelet(
    array: np.ndarray, settings: FilterSettings, _spacing: Callable[[], tuple[float, ...]]
) -> np.ndarray:
    """One subband of a wavelet transform without decimation ("à trous"): zeros between the taps at coarser levels.

    Source: IBSI-2 reference manual, 25BO; Mallat, A wavelet tour of signal processing (2009), 5.2.
    """
    low, high = wavelet_filters(settings.wavelet)
    before = [_spread(low, 2**level) for level in range(settings.level - 1)]
    last = {"L": _spread(low, 2 ** (settings.level - 1)), "H": _spread(high, 2 ** (settings.level - 1))}
    passes = [[*before, last[letter]] for letter in settings.subband]
    return respond_rotated(array, passes, settings.boundary, settings.pooling)


def average(array: np.ndarray, size: int, *, dimension: int, boundary: Boundary) -> np.ndarray:
    """The mean over `size` voxels along each of the first `dimension` directions, float32."""
    from scipy import ndimage

    sizes = (size if dimension == 3 else 1, size, size)
    return np.asarray(ndimage.uniform_filter(array, sizes, output=np.float32, mode=MODES[boundary]))


def convolve(
    array: np.ndarray, passes: Passes, direction: int, boundary: Boundary, *, turned: bool = False
) -> np.ndarray:
    """The array convolved along one direction; turned, it is seen from the other end, filtered and seen back."""
    from scipy import ndimage

    axis = 2 - direction
    for kernel in passes:
        seen = np.flip(array, axis) if turned else array
        done = ndimage.convolve1d(seen, kernel, axis=axis, output=np.float32, mode=MODES[boundary])
        array = np.flip(done, axis) if turned else done
    return array


def respond_rotated(array: np.ndarray, passes: Sequence[Passes], boundary: Boundary, pooling: Pooling) -> np.ndarray:
    """The response to separable kernels, pooled over the right-angle rotations of the image (24 in 3-D, 4 in 2-D).

    passes   along columns, rows (and slices)

    Each rotation is undone afterwards, so that a filter of even length is centred as it is in the rotated image.
    """
    if pooling == "none":
        for direction, kernels in enumerate(passes):
            array = convolve(array, kernels, direction, boundary)
        return array
    return pool_responses(_responses(array, passes, boundary), pooling)


def _responses(array: np.ndarray, passes: Sequence[Passes], boundary: Boundary) -> Iterator[tuple[np.ndarray, int]]:
    """Each different response and for how many rotations it stands.

    Along a direction, a symmetric kernel does not feel a flip and an antisymmetric one changes its sign.
    """
    parities = [_parity(kernels) for kernels in passes]
    counts: dict[tuple[tuple[tuple[int, bool], ...], int], int] = {}
    for order, flips in _rotations(len(passes)):
        sign = int(np.prod([parities[n] for n, flip in zip(order, flips, strict=True) if flip and parities[n]]))
        key = tuple((n, flip and parities[n] == 0) for n, flip in zip(order, flips, strict=True))
        counts[key, sign] = counts.get((key, sign), 0) + 1
    held: list[tuple[tuple[int, bool], np.ndarray]] = []
    for key, sign in sorted(counts):
        # Only what differs from the response before is filtered again.
        same = 0
        while same < len(held) and held[same][0] == key[same]:
            same += 1
        del held[same:]
        for direction in range(same, len(key)):
            n, turned = key[direction]
            source = held[-1][1] if held else array
            held.append((key[direction], convolve(source, passes[n], direction, boundary, turned=turned)))
        yield (held[-1][1] if sign > 0 else -held[-1][1]), counts[key, sign]


def _rotations(dimension: int) -> Iterator[tuple[tuple[int, ...], tuple[bool, ...]]]:
    """The right-angle rotations: which old direction each new one shows, and whether from its other end."""
    for order in permutations(range(dimension)):
        for flips in product((False, True), repeat=dimension):
            matrix = np.eye(dimension)[list(order)] * np.where(flips, -1, 1)[:, None]
            if np.linalg.det(matrix) > 0:
                yield order, flips


def _parity(passes: Passes) -> int:
    """1 where the kernels together are symmetric about a voxel, -1 where antisymmetric, 0 where neither."""
    parity = 1
    for kernel in passes:
        if kernel.size % 2 == 0:
            return 0
        if np.array_equal(kernel, -kernel[::-1]):
            parity = -parity
        elif not np.array_equal(kernel, kernel[::-1]):
            return 0
    return parity


def _spread(kernel: np.ndarray, step: int) -> np.ndarray:
    """The kernel with `step - 1` zeros after each of its taps."""
    wide = np.zeros(kernel.size * step)
    wide[::step] = kernel
    return wide
