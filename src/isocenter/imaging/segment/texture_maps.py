"""Maps that tell textures apart at each pixel of a slice: Gabor amplitudes, local binary patterns, grey-level pairs."""

from typing import Final

import cv2
import numpy as np

# Wavelengths in pixels and directions over half a turn.
GABOR_WAVELENGTHS: Final = (3.0, 4.5, 7.0, 11.0, 17.0)
_GABOR_DIRECTIONS: Final = 6
# Sigma of the Gaussian under a wave, in wavelengths: one octave of bandwidth is 0.56.
_GABOR_SIGMA: Final = 0.45
_GABOR_MARGIN: Final = 32
# Radii in pixels of the circles that local binary patterns compare with their centre.
_LBP_RADII: Final = (1.0, 2.5)
_LBP_POINTS: Final = 8
# Levels of grey that pairs are counted in, and from which neighbour (rows, columns).
_PAIR_LEVELS: Final = 4
_PAIR_OFFSETS: Final = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 3), (3, 0), (3, 3), (3, -3))


def gabor_maps(picture: np.ndarray) -> np.ndarray:
    """Square roots of the amplitudes of Gabor waves, (wavelengths x directions, rows, columns), float32.

    Source: Jain & Farrokhnia, Pattern Recognit 1991;24:1167-1186.
    """
    from scipy import fft

    margin = _GABOR_MARGIN
    padded = np.pad(np.asarray(picture, dtype=np.float32), margin, mode="symmetric")
    shape = tuple(fft.next_fast_len(size) for size in padded.shape)
    spectrum = fft.fft2(padded, shape)
    fy, fx = fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1])[None]
    maps = []
    for wavelength in GABOR_WAVELENGTHS:
        for angle in np.pi * np.arange(_GABOR_DIRECTIONS) / _GABOR_DIRECTIONS:
            along = fx * np.cos(angle) + fy * np.sin(angle) - 1 / wavelength
            across = fy * np.cos(angle) - fx * np.sin(angle)
            gain = np.exp(-2 * (np.pi * _GABOR_SIGMA * wavelength) ** 2 * (along**2 + across**2)).astype(np.float32)
            amplitude = np.abs(fft.ifft2(spectrum * gain))
            maps.append(np.sqrt(amplitude[margin : margin + picture.shape[0], margin : margin + picture.shape[1]]))
    return np.asarray(maps, dtype=np.float32)


def binary_pattern_maps(picture: np.ndarray) -> np.ndarray:
    """Which rotation-invariant uniform local binary pattern each pixel shows, one 0/1 map per pattern and radius.

    Source: Ojala, Pietikäinen & Mäenpää, IEEE Trans Pattern Anal Mach Intell 2002;24:971-987.
    """
    source = np.asarray(picture, dtype=np.float32)
    rows, columns = np.mgrid[: source.shape[0], : source.shape[1]].astype(np.float32)
    maps = []
    for radius in _LBP_RADII:
        turns = 2 * np.pi * np.arange(_LBP_POINTS) / _LBP_POINTS
        brighter = np.stack([
            cv2.remap(
                source, columns + np.float32(radius * np.cos(turn)), rows + np.float32(radius * np.sin(turn)),
                cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT,
            ) >= source
            for turn in turns
        ])  # fmt: skip
        changes = (brighter != np.roll(brighter, 1, axis=0)).sum(axis=0)
        code = np.where(changes <= 2, brighter.sum(axis=0), _LBP_POINTS + 1)
        maps += [code == pattern for pattern in range(_LBP_POINTS + 2)]
    return np.asarray(maps, dtype=np.float32)


def grey_pair_maps(picture: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Which pair of grey levels each pixel makes with a neighbour, one 0/1 map per pair and neighbour.

    limits   between the levels

    Local means of these maps are the entries of local co-occurrence matrices (GLCM). Source: Haralick, Shanmugam &
    Dinstein, IEEE Trans Syst Man Cybern 1973;3:610-621.
    """
    level = np.searchsorted(limits, picture)
    reach = max(max(abs(a), abs(b)) for a, b in _PAIR_OFFSETS)
    wide = np.pad(level, reach, mode="reflect" if min(level.shape) > reach else "edge")
    maps = []
    for down, right in _PAIR_OFFSETS:
        other = wide[reach + down :, reach + right :][: level.shape[0], : level.shape[1]]
        low, high = np.minimum(level, other), np.maximum(level, other)
        maps += [(low == a) & (high == b) for a in range(limits.size + 1) for b in range(a, limits.size + 1)]
    return np.asarray(maps, dtype=np.float32)


def level_limits(values: np.ndarray) -> np.ndarray:
    """Grey levels that hold about as many of the values each."""
    return np.unique(np.quantile(values, np.arange(1, _PAIR_LEVELS) / _PAIR_LEVELS))


def texture_maps(picture: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, ...]:
    """All maps of a slice in their three groups: Gabor, binary patterns, grey-level pairs."""
    return gabor_maps(picture), binary_pattern_maps(picture), grey_pair_maps(picture, limits)
