"""What the reader sees: masks, boxes, ellipses, callipers, heat maps and words on a picture.

uint8 in, (rows, columns) or (rows, columns, 3); a new uint8 RGB picture out. Places are (row, column) in pixels of the
picture, with the centre of the first pixel at (0, 0).
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError

Colour = tuple[int, int, int]
# Told apart with the common colour blindnesses. Source: Okabe M, Ito K. Color universal design, 2008.
YELLOW: Final[Colour] = (240, 228, 66)
BLUE: Final[Colour] = (86, 180, 233)
RED: Final[Colour] = (213, 94, 0)
GREEN: Final[Colour] = (0, 158, 115)
WHITE: Final[Colour] = (255, 255, 255)
MAPS: Final = {
    "inferno": cv2.COLORMAP_INFERNO, "viridis": cv2.COLORMAP_VIRIDIS, "magma": cv2.COLORMAP_MAGMA
}  # fmt: skip
_SHIFT: Final = 4


def to_rgb(image: np.ndarray) -> np.ndarray:
    """A new RGB picture, uint8, (rows, columns, 3), of a gray or colour one."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise InputError(f"picture: expected uint8 (rows, columns[, 3]), got {image.dtype} {image.shape}")
    return np.ascontiguousarray(np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy())


def upscale(image: np.ndarray, *, min_side: int = 512) -> tuple[np.ndarray, int]:
    """The picture enlarged by a whole factor until its shorter side reaches a readable size, and the factor.

    Places p of the small picture lie at (p + 0.5) * factor - 0.5 of the large one.
    """
    factor = max(1, -(-min_side // min(image.shape[:2])))
    if factor == 1:
        return image.copy(), 1
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)), factor


def draw_mask(image: np.ndarray, mask: np.ndarray, *, colour: Colour = YELLOW, opacity: float = 0.25) -> np.ndarray:
    """The picture with a mask's outline, and its inside tinted.

    mask      bool, (rows, columns)
    opacity   of the tint; 0 draws the outline alone
    """
    picture = to_rgb(image)
    _require_shape(picture, mask)
    if opacity > 0:
        tint = picture[mask] * (1 - opacity) + np.asarray(colour) * opacity
        picture[mask] = np.rint(tint).astype(np.uint8)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture, outlines, -1, colour, _line_width(picture)))


def draw_heat_map(
    image: np.ndarray, heat: np.ndarray, *, map_name: str = "inferno", opacity: float = 0.6
) -> np.ndarray:
    """The picture with a heat map over it, the more opaque the hotter, so that cold regions stay as they are.

    heat      (rows, columns) from 0 to 1; NaN counts as 0
    opacity   where the heat is 1
    """
    picture = to_rgb(image)
    _require_shape(picture, heat)
    if map_name not in MAPS:
        raise InputError(f"colour map: expected one of {', '.join(MAPS)}; got {map_name!r}")
    warmth = np.clip(np.nan_to_num(np.asarray(heat, dtype=np.float32)), 0, 1)
    colours = cv2.applyColorMap(np.rint(warmth * 255).astype(np.uint8), MAPS[map_name])[..., ::-1]
    weight = (warmth * opacity)[..., None]
    return np.asarray(np.rint(picture * (1 - weight) + colours * weight), dtype=np.uint8)


def draw_box(
    image: np.ndarray,
    box: tuple[tuple[int, int], tuple[int, int]],
    *,
    colour: Colour = BLUE,
    label: str = "",
) -> np.ndarray:
    """The picture with a box around pixels.

    box   ((row, column), (row, column)), half open: from the first pixel inside to the first outside
    """
    picture = to_rgb(image)
    (top, left), (bottom, right) = box
    cv2.rectangle(picture, (int(left), int(top)), (int(right) - 1, int(bottom) - 1), colour, _line_width(picture))
    return draw_label(picture, label, at=(int(top) - 2, int(left)), colour=colour) if label else picture


def draw_ellipse(
    image: np.ndarray,
    centre: tuple[float, float],
    semi_axes: tuple[float, float],
    angle_deg: float,
    *,
    colour: Colour = YELLOW,
    axes: bool = True,
) -> np.ndarray:
    """The picture with an ellipse and, if wanted, its two axes.

    semi_axes   (major, minor) in pixels
    angle_deg   of the major axis, from the direction of growing columns towards growing rows
    """
    picture = to_rgb(image)
    width = _line_width(picture)
    turn = np.deg2rad(angle_deg)
    along = np.array((np.sin(turn), np.cos(turn)))
    across = np.array((np.cos(turn), -np.sin(turn)))
    steps = np.linspace(0, 2 * np.pi, 361)[:, None]
    rim = np.asarray(centre) + semi_axes[0] * np.cos(steps) * along + semi_axes[1] * np.sin(steps) * across
    cv2.polylines(picture, [_fixed(rim)], True, colour, width, cv2.LINE_AA, _SHIFT)
    for direction, reach in ((along, semi_axes[0]), (across, semi_axes[1])) if axes else ():
        ends = np.asarray(centre) + np.array([[-reach], [reach]]) * direction
        cv2.polylines(picture, [_fixed(ends)], False, BLUE, max(1, width // 2), cv2.LINE_AA, _SHIFT)
    return picture


def draw_caliper(
    image: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    label: str = "",
    colour: Colour = YELLOW,
) -> np.ndarray:
    """The picture with a measuring line from end to end, a cross stroke at each, and its words beside it."""
    picture = to_rgb(image)
    width = _line_width(picture)
    ends = np.array((start, end), dtype=np.float64)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    cv2.polylines(picture, [_fixed(ends)], False, colour, width, cv2.LINE_AA, _SHIFT)
    across = np.array((ends[1, 1] - ends[0, 1], ends[0, 0] - ends[1, 0])) / max(length, 1e-9) * 4 * width
    for point in ends:
        cv2.polylines(picture, [_fixed(np.array((point - across, point + across)))], False, colour, width, 16, _SHIFT)
    if not label:
        return picture
    lower = ends[int(np.argmax(ends[:, 0]))]
    return draw_label(picture, label, at=(int(lower[0]) + 8 * width + 10, int(lower[1])), colour=colour)


def draw_label(image: np.ndarray, text: str, *, at: tuple[int, int], colour: Colour = WHITE) -> np.ndarray:
    """The picture with words on a dark ground, moved inward where they would leave it.

    text   ASCII; other characters print as "?"
    at     (row, column) of the words' lower left corner
    """
    picture = to_rgb(image)
    rows, columns = picture.shape[:2]
    words = text.encode("ascii", "replace").decode("ascii")
    scale = max(0.35, min(rows, columns) / 900)
    (wide, high), base = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    row = int(np.clip(at[0], high + 2, max(high + 2, rows - base - 2)))
    column = int(np.clip(at[1], 1, max(1, columns - wide - 2)))
    ground = picture[max(0, row - high - 2) : row + base, max(0, column - 1) : column + wide + 2]
    ground[:] = ground // 3
    cv2.putText(picture, words, (column, row), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
    return picture


def draw_scale_bar(image: np.ndarray, column_mm: float, *, colour: Colour = WHITE) -> np.ndarray:
    """The picture with a bar of a round length in its lower left corner.

    column_mm   distance between neighbouring columns
    """
    picture = to_rgb(image)
    rows, columns = picture.shape[:2]
    lengths_mm = [factor * 10.0**power for power in range(-3, 4) for factor in (1, 2, 5)]
    fitting = [length for length in lengths_mm if length / column_mm <= columns / 4] or [lengths_mm[0]]
    length_mm = fitting[-1]
    row, left = rows - 1 - max(4, rows // 40), max(4, columns // 40)
    right = left + round(length_mm / column_mm)
    cv2.line(picture, (left, row), (right, row), colour, 2 * _line_width(picture))
    words = f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"
    return draw_label(picture, words, at=(row - 4 - 2 * _line_width(picture), left), colour=colour)


def montage(images: Sequence[np.ndarray], *, n_columns: int, gap: int = 2) -> np.ndarray:
    """Pictures side by side in rows, each in the upper left of a cell as large as the largest."""
    if not images or n_columns < 1:
        raise InputError(f"montage: expected pictures and at least one column, got {len(images)} and {n_columns}")
    pictures = [to_rgb(image) for image in images]
    high, wide = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    n_rows = -(-len(pictures) // n_columns)
    sheet = np.zeros((n_rows * (high + gap) - gap, n_columns * (wide + gap) - gap, 3), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        row, column = (
            place * (size + gap) for place, size in zip(divmod(number, n_columns), (high, wide), strict=True)
        )
        sheet[row : row + picture.shape[0], column : column + picture.shape[1]] = picture
    return sheet


def _line_width(picture: np.ndarray) -> int:
    return max(1, int(min(picture.shape[:2]) / 400 + 0.5))


def _fixed(points: np.ndarray) -> np.ndarray:
    """(row, column) points as OpenCV draws them: (x, y) in sixteenths of a pixel."""
    return np.asarray(np.rint(points[:, ::-1] * (1 << _SHIFT)), dtype=np.int32)


def _require_shape(picture: np.ndarray, layer: np.ndarray) -> None:
    if layer.shape != picture.shape[:2]:
        raise InputError(f"overlay: expected the picture's shape {picture.shape[:2]}, got {layer.shape}")
