"""Two images on one grid as one picture: checkerboard, red and cyan, hot metal over gray, blend.

uint8 in and out, (rows, columns) gray or (rows, columns, 3) colour.
"""

from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import robust_window, to_gray, to_uint8
from isocenter.imaging.overlay import montage

Plane = str
_SHEET_SIDE: Final = 512
PLANES: Final = ("axial", "coronal", "sagittal")


def checkerboard(first: np.ndarray, second: np.ndarray, *, n_tiles: int = 8) -> np.ndarray:
    """Tiles of one picture and the other in turn, so that edges show whether they meet.

    n_tiles   along the longer side
    """
    _require_same_shape(first, second)
    side = max(1, -(-max(first.shape[:2]) // n_tiles))
    j, i = np.indices(first.shape[:2])
    is_first = ((j // side + i // side) % 2 == 0).reshape(*first.shape[:2], *([1] * (first.ndim - 2)))
    return np.asarray(np.where(is_first, first, second))


def red_cyan(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The first picture in red, the second in green and blue: gray where both agree."""
    _require_same_shape(first, second)
    return np.stack([first, second, second], axis=-1)


def hot_metal(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 as the colours of heated metal: black, red, orange, yellow, white; RGB uint8.

    Source: DICOM PS3.6 B.1.2 names the Hot Metal Blue palette for PET over CT; these are the plain ramps of red, green
    and blue one after the other, the "hot" scale.
    """
    share = np.clip(np.nan_to_num(np.asarray(values, dtype=np.float32)), 0, 1)[..., None]
    ramps = np.clip(share * 3 - np.array((0.0, 1.0, 2.0), dtype=np.float32), 0, 1)
    return np.asarray(np.rint(255 * ramps), dtype=np.uint8)


def over_gray(gray: np.ndarray, values: np.ndarray, *, opacity: float = 0.7) -> np.ndarray:
    """Hot metal over a gray picture, the more opaque the hotter.

    values   (rows, columns) from 0 to 1
    """
    _require_same_shape(gray, values)
    colours = hot_metal(values).astype(np.float32)
    weight = (np.clip(np.nan_to_num(values), 0, 1) ** 0.5 * opacity)[..., None].astype(np.float32)
    return np.asarray(np.rint(gray[..., None] * (1 - weight) + colours * weight), dtype=np.uint8)


def blend(first: np.ndarray, second: np.ndarray, *, share: float = 0.5) -> np.ndarray:
    """Both pictures through one another; `share` is that of the second."""
    _require_same_shape(first, second)
    if not 0 <= share <= 1:
        raise InputError(f"blend: expected a share from 0 to 1, got {share}")
    return np.asarray(np.rint(first * (1 - share) + second * np.float32(share)), dtype=np.uint8)


def cut_plane(array: np.ndarray, grid: Grid, plane: Plane, *, index: int | None = None) -> np.ndarray:
    """One plane through an array (slices, rows, columns), with square pixels of the finest spacing.

    plane   along the grid's own axes: axial keeps rows and columns, coronal slices and columns, sagittal slices and
            rows
    index   along the axis that the plane leaves out; None: the middle

    Slices that run to the head are shown with the head up. Linear for real numbers, nearest for 8 bits.
    """
    if plane not in PLANES:
        raise InputError(f"plane: expected one of {', '.join(PLANES)}; got {plane!r}")
    axis = PLANES.index(plane)
    at = array.shape[axis] // 2 if index is None else index
    picture = np.take(array, at, axis=axis)
    steps = np.linalg.norm(grid.affine[:3, :3], axis=0)
    along = [step for number, step in enumerate(steps) if number != axis]
    if axis > 0 and grid.affine[2, 0] > 0:
        picture = picture[::-1]
    fine = min(along)
    size = tuple(max(1, round(picture.shape[n] * along[n] / fine)) for n in (1, 0))
    if size == picture.shape[1::-1]:
        return np.ascontiguousarray(picture)
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_LINEAR))


def checkerboard_sheet(first: Volume, second: Volume) -> np.ndarray:
    """Checkerboards through the middles of two volumes on one grid, side by side; of two pictures, the one."""
    one, other = to_gray(first), to_gray(second)
    shown = [to_uint8(np.nan_to_num(image.array), robust_window(image.array)) for image in (one, other)]
    planes = PLANES[:1] if first.is_2d else PLANES
    pictures = []
    for plane in planes:
        tiles = checkerboard(*(cut_plane(array, first.grid, plane) for array in shown))
        pictures.append(fit_picture(tiles, _SHEET_SIDE))
    return montage(pictures, n_columns=len(pictures))


def fit_picture(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture with a longer side of at most so many pixels; thin ones keep at least one pixel."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = tuple(max(1, round(picture.shape[n] * scale)) for n in (1, 0))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _require_same_shape(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise InputError(f"fusion: expected two pictures of one shape, got {first.shape} and {second.shape}")
