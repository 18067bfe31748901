"""Artefacts of acquisition taken out: ringing at sharp edges of MR, rings of CT."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError

# Shifts of up to half a voxel, in this many steps to either side; oscillation is judged over one to three voxels.
_SHIFTS: Final = 20
_NEAREST: Final = 1
_FARTHEST: Final = 3
_ANGLES: Final = 720
_RING_PX: Final = 5


def reduce_gibbs(array: np.ndarray) -> np.ndarray:
    """The array without the ringing that a sharp edge leaves where the Fourier series was cut off, float32.

    array   (slices, rows, columns); each slice by itself. It must be as it was reconstructed: after interpolation or
            zero filling the ringing has another period

    Source: Kellner et al., Magn. Reson. Med. 2016;76(5):1574-1581 (shifts to the zero crossings of the sinc, chosen by
    the least total variation beside each voxel).
    """
    if array.ndim != 3:
        raise InputError(f"ringing: expected (slices, rows, columns), got {array.shape}")
    if min(array.shape[1:]) < 2 * _FARTHEST + 2:
        raise InputError(
            f"ringing: expected at least {2 * _FARTHEST + 2} pixels along each side, got {array.shape[1:]}"
        )
    values = np.asarray(array, dtype=np.float64)
    return np.stack([_unring_slice(picture) for picture in values]).astype(np.float32)


def _unring_slice(picture: np.ndarray) -> np.ndarray:
    """Each direction's half of the spectrum unrung along that direction, then added."""
    rows, columns = picture.shape
    along_j = 1 + np.cos(2 * np.pi * np.fft.fftfreq(rows))[:, None]
    along_i = 1 + np.cos(2 * np.pi * np.fft.fftfreq(columns))[None, :]
    total = along_j + along_i
    share = np.where(total > 1e-12, along_j / np.where(total > 1e-12, total, 1), 0.5)
    spectrum = np.fft.fft2(picture)
    # What varies along the columns is the part that the rows' low frequencies hold.
    across = np.fft.ifft2(spectrum * share).real
    down = np.fft.ifft2(spectrum * (1 - share)).real
    return np.asarray(_unring_rows(across) + _unring_rows(down.T).T)


def _unring_rows(picture: np.ndarray) -> np.ndarray:
    """Every row resampled, voxel by voxel, at the shift where it oscillates least beside the voxel."""
    columns = picture.shape[1]
    shifts = np.arange(-_SHIFTS, _SHIFTS + 1) / (2 * _SHIFTS + 1)
    frequencies = np.fft.fftfreq(columns)
    if columns % 2 == 0:
        frequencies[columns // 2] = 0.0  # the Nyquist term has no phase
    spectrum = np.fft.fft(picture, axis=1)
    least = np.full(picture.shape, np.inf)
    best = picture.copy()
    for shift in sorted(shifts, key=abs):
        moved = picture if shift == 0 else np.fft.ifft(spectrum * np.exp(2j * np.pi * frequencies * shift), axis=1).real
        step = np.abs(moved - np.roll(moved, 1, axis=1))
        left = sum(np.roll(step, n - 1, axis=1) for n in range(_NEAREST, _FARTHEST + 1))
        right = sum(np.roll(step, -n, axis=1) for n in range(_NEAREST, _FARTHEST + 1))
        # moved[i] is the row at i + shift; the value at i lies between it and its neighbour towards i.
        value = (1 - abs(shift)) * moved + abs(shift) * np.roll(moved, 1 if shift > 0 else -1, axis=1)
        variation = np.minimum(left, right)
        better = variation < least - 1e-12
        least = np.where(better, variation, least)
        best = np.where(better, value, best)
    return best


def reduce_rings(
    array: np.ndarray, *, center_px: tuple[float, float] | None = None, width_px: int = _RING_PX
) -> np.ndarray:
    """The array without circles of constant error around the centre of rotation, float32.

    array       (slices, rows, columns); each slice by itself
    center_px   row, column of the centre of rotation; the middle of the picture unless stated
    width_px    the widest ring, in pixels

    In polar coordinates a ring is a straight line: what the median over all angles still holds of the difference to
    the local median along the radius is taken off.
    Source: Sijbers & Postnov, Phys. Med. Biol. 2004;49(14):N247-N253 (polar form, median over angles).
    """
    if array.ndim != 3:
        raise InputError(f"rings: expected (slices, rows, columns), got {array.shape}")
    if width_px < 1:
        raise InputError(f"width: expected at least 1 pixel, got {width_px}")
    rows, columns = array.shape[1:]
    center = ((rows - 1) / 2, (columns - 1) / 2) if center_px is None else center_px
    if not (0 <= center[0] <= rows - 1 and 0 <= center[1] <= columns - 1):
        raise InputError(f"centre: expected a place inside {rows} x {columns} pixels, got {center}")
    values = np.asarray(array, dtype=np.float32)
    return np.stack([picture - _ring_error(picture, center, width_px) for picture in values])


def _ring_error(picture: np.ndarray, center: tuple[float, float], width_px: int) -> np.ndarray:
    """What each pixel's ring adds to it."""
    from scipy import ndimage

    rows, columns = picture.shape
    j, i = np.mgrid[:rows, :columns]
    distance = np.hypot(j - center[0], i - center[1])
    # Two samples per pixel along the radius; the corners belong to few rings and stay as they are.
    radii = np.arange(0, distance.max() + 1, 0.5)
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    places = [center[0] + radii[:, None] * np.sin(angles), center[1] + radii[:, None] * np.cos(angles)]
    polar = ndimage.map_coordinates(picture, places, order=1, mode="constant", cval=np.nan)
    seen = np.isfinite(polar)
    size = 2 * (2 * width_px) + 1
    filled = np.where(seen, polar, 0.0)
    local = ndimage.median_filter(filled, size=(size, 1), mode="mirror")
    difference = np.where(seen, polar - local, np.nan)
    enough = seen.mean(axis=1) > 0.25
    profile = np.zeros(radii.size)
    profile[enough] = np.nanmedian(difference[enough], axis=1)
    return np.asarray(np.interp(distance, radii, profile), dtype=np.float32)
