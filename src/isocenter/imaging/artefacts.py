"""Artefacts of acquisition taken out: ringing at sharp edges of MR, rings of CT."""

from itertools import product
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

# Shifts of up to half a voxel, in this many steps to either side; oscillation is judged over one to three voxels.
_SHIFTS: Final = 20
_NEAREST: Final = 1
_FARTHEST: Final = 3
_ANGLES: Final = 720
_RING_PX: Final = 5
_RING_ROUNDS: Final = 3
# A ring counts as far as it is above this many standard errors of its medians over the sectors of a circle.
_SECTORS: Final = 24
_DOUBT: Final = 2.0
# The centre is sought in this many slices of at least this side, and believed where circles hold this many times more
# than elsewhere.
_CENTER_SLICES: Final = 9
_CENTER_GAIN: Final = 1.5
_CENTER_SIDE_PX: Final = 64


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
    center_px   row, column of the centre of rotation; unless stated, the place within 11 pixels of the middle around
                which circles stand out most, and the middle where they nowhere do
    width_px    the widest ring, in pixels

    In polar coordinates a ring is a straight line: what the median over all angles still holds of the difference to
    the local median along the radius is taken off, as far as all sectors of the circle agree about it.
    Source: Sijbers & Postnov, Phys. Med. Biol. 2004;49(14):N247-N253 (polar form, median over angles).
    """
    if array.ndim != 3:
        raise InputError(f"rings: expected (slices, rows, columns), got {array.shape}")
    if width_px < 1:
        raise InputError(f"width: expected at least 1 pixel, got {width_px}")
    rows, columns = array.shape[1:]
    values = np.asarray(array, dtype=np.float32)
    center = _find_center(values) if center_px is None else center_px
    if not (0 <= center[0] <= rows - 1 and 0 <= center[1] <= columns - 1):
        raise InputError(f"centre: expected a place inside {rows} x {columns} pixels, got {center}")
    return np.stack([_without_rings(picture, center, width_px) for picture in values])


def _without_rings(picture: np.ndarray, center: tuple[float, float], width_px: int) -> np.ndarray:
    """Again and again, because what is read between pixels shows a thin ring too faint."""
    for _ in range(_RING_ROUNDS):
        picture = picture - _ring_error(picture, center, width_px)
    return picture


def _find_center(values: np.ndarray) -> tuple[float, float]:
    """The place near the middle around which means over circles stand out most; the middle where none clearly does.

    values   (slices, rows, columns)
    """
    from scipy import ndimage

    rows, columns = values.shape[1:]
    middle = ((rows - 1) / 2, (columns - 1) / 2)
    if min(rows, columns) < _CENTER_SIDE_PX:
        return middle
    chosen = values[np.unique(np.linspace(0, len(values) - 1, _CENTER_SLICES).astype(int))]
    detail = chosen - ndimage.median_filter(chosen, size=(1, 5, 5), mode="nearest")
    # Edges of anatomy are far stronger than rings: they count no more than what is usual.
    limit = 3 * np.median(np.abs(detail[detail != 0])) if detail.any() else 0.0
    flat = np.clip(detail, -limit, limit).mean(axis=0).ravel()
    j, i = np.mgrid[:rows, :columns]

    def strength(center: tuple[float, float]) -> float:
        ring = np.rint(np.hypot(j - center[0], i - center[1])).astype(np.int64).ravel()
        count, total = np.bincount(ring), np.bincount(ring, weights=flat)
        return float(np.sum(total**2 / np.maximum(count, 1)))

    best, usual = middle, strength(middle)
    for step, reach in ((2.0, 4), (1.0, 1), (0.5, 1)):
        shifts = product(step * np.arange(-reach, reach + 1), repeat=2)
        around = [best, *((best[0] + float(a), best[1] + float(b)) for a, b in shifts)]
        found = [strength(each) for each in around]
        usual = max(usual, float(np.median(found))) if reach > 1 else usual
        best, most = around[int(np.argmax(found))], max(found)
    return best if most > _CENTER_GAIN * usual else middle


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
    profile[enough] *= _agreement(difference[enough], profile[enough])
    return np.asarray(np.interp(distance, radii, profile), dtype=np.float32)


def _agreement(difference: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """0 to 1 for each radius: a ring goes all the way round, what sectors disagree about is anatomy.

    difference   (radii, angles), NaN outside the picture
    """
    sectors = difference.reshape(len(difference), _SECTORS, -1)
    unseen = ~np.isfinite(sectors).any(axis=2)
    sectors[unseen] = np.broadcast_to(profile[:, None], unseen.shape)[unseen][:, None]
    doubt = 1.4826 * np.median(np.abs(np.nanmedian(sectors, axis=2) - profile[:, None]), axis=1)
    doubt *= _DOUBT / np.sqrt(_SECTORS)
    return np.asarray(np.maximum(0, 1 - (doubt / np.maximum(np.abs(profile), 1e-12)) ** 2))
