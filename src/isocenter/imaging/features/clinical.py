"""Ratios, shifts and angles that reports name after their inventors, from masks; from points see `landmarks`.

"Across" is the direction of columns and "down" that of rows: in an upright film, and in an axial slice, left to right
and front to back.
"""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.distances import angle_between_lines_deg
from isocenter.imaging.features.ellipse import fit_ellipse_to_mask
from isocenter.imaging.features.outline import edge_points
from isocenter.imaging.features.shape import axes_of_points

# Kothari 1996: a slice counts whole from 75 % of the largest area, half from 25 %.
_WHOLE, _HALF = 0.75, 0.25
_LEAST_ENDPLATE = 5


@dataclass(frozen=True, slots=True)
class WidthRatio:
    """One width over another.

    widths          (numerator, denominator) in pixels across
    slice_index     where the numerator was measured
    uncertainty     one pixel for each width, in quadrature
    """

    ratio: float
    widths: tuple[float, float]
    slice_index: int
    uncertainty: float


@dataclass(frozen=True, slots=True)
class HalvedProduct:
    """A haematoma's A x B x C / 2.

    a_mm, b_mm   longest diameter of the slice with the largest area, and the longest at right angles to it
    c_mm         weighted number of slices times their distance
    """

    volume_ml: float
    a_mm: float
    b_mm: float
    c_mm: float
    uncertainty_ml: float


def cardiothoracic_ratio(heart: Mask, thorax: Mask) -> WidthRatio:
    """Greatest width of the heart over the greatest inner width of the chest, on a frontal film.

    heart    its greatest extent to the right and to the left of the midline may lie at different heights
    thorax   the lungs, or the whole inside of the chest: the widest row counts

    Raises InputError where a mask is empty.
    Source: Danzer CS. Am J Med Sci 1919;157:513-521; valid on an upright postero-anterior film.
    """
    _require_voxels(heart, thorax)
    index = int(heart.array.any(axis=(1, 2)).argmax())
    columns = np.flatnonzero(heart.array.any(axis=(0, 1)))
    return _ratio(
        float(columns[-1] - columns[0] + 1), _widest_row(thorax.array.reshape(-1, thorax.array.shape[2])), index
    )


def evans_index(frontal_horns: Mask, skull: Mask) -> WidthRatio:
    """Greatest width of the frontal horns over the greatest inner width of the skull in the same axial slice.

    skull   everything inside the inner table

    Raises InputError where a mask is empty, or the skull is not in the horns' widest slice.
    Source: Evans WA. Arch Neurol Psychiatry 1942;47:931-937.
    """
    _require_voxels(frontal_horns, skull)
    widths = [_extent(picture) for picture in frontal_horns.array]
    k = int(np.argmax(widths))
    if not skull.array[k].any():
        raise InputError("Evans index: expected the skull in the slice of the frontal horns, found none; check labels")
    return _ratio(widths[k], _widest_row(skull.array[k]), k)


def midline_shift_mm(middle: Mask, skull: Mask) -> tuple[float, int, float]:
    """How far a midline structure lies from the middle of the skull: millimetres, slice, uncertainty in millimetres.

    middle   septum pellucidum or third ventricle; the slice with most of it counts
    skull    everything inside the inner table; its middle is the long axis of the ellipse that fits best

    Raises InputError where a mask is empty or no ellipse fits.
    """
    _require_voxels(middle, skull)
    k = int(np.argmax(middle.array.sum(axis=(1, 2))))
    if not skull.array[k].any():
        raise InputError("midline shift: expected the skull in the slice of the midline structure, found none")
    pixel_mm = middle.grid.spacing_mm[1:]
    ellipse = fit_ellipse_to_mask(skull, slice_index=k)
    place = np.argwhere(middle.array[k]).mean(axis=0) * pixel_mm - ellipse.centre
    _, across = ellipse.directions()
    return float(abs(place @ across)), k, float(np.linalg.norm(across * pixel_mm))


def halved_product(mask: Mask) -> HalvedProduct:
    """The bedside estimate A x B x C / 2 of a haematoma's volume.

    Raises InputError for an empty mask, UnknownSpacingError where the image states no pixel size.
    Source: Kothari RU et al. Stroke 1996;27:1304-1305 (slices of at least 75 % of the largest area count 1, of 25 to
    75 % one half, others 0).
    """
    _require_voxels(mask)
    spacing = mask.grid.spacing_mm
    areas = mask.array.sum(axis=(1, 2))
    k = int(areas.argmax())
    axes = axes_of_points(edge_points(mask.array[k]), pixel_mm=(float(spacing[1]), float(spacing[2])), slice_index=k)
    shares = areas / areas.max()
    weight = float((shares >= _WHOLE).sum() + 0.5 * ((shares >= _HALF) & (shares < _WHOLE)).sum())
    c_mm = weight * float(spacing[0])
    volume_ml = axes.long_mm * axes.short_mm * c_mm / 2000
    pixel = float(max(spacing[1:]))
    relative = np.sqrt((pixel / axes.long_mm) ** 2 + (pixel / axes.short_mm) ** 2 + (spacing[0] / c_mm) ** 2)
    return HalvedProduct(volume_ml, axes.long_mm, axes.short_mm, c_mm, float(volume_ml * relative))


def cobb_angle_deg(upper: Mask, lower: Mask) -> tuple[float, float]:
    """Angle between the upper endplate of one vertebra and the lower endplate of another, and its uncertainty.

    upper, lower   the end vertebrae of a curve on one frontal film, upright: rows run down, pixels in millimetres

    Each endplate is the straight line through the middle four fifths of the vertebra's border, found in the
    vertebra's own frame so that its tilt does not matter. Uncertainty: half a pixel at both ends of both lines.

    Raises InputError where a mask is empty or too narrow for a line.
    Source: Cobb JR. AAOS Instr Course Lect 1948;5:261-275.
    """
    _require_voxels(upper, lower)
    lines = [_endplate(upper, top=True), _endplate(lower, top=False)]
    angle = angle_between_lines_deg(*(np.insert(line, 0, 0.0, axis=1) for line in lines))
    pixel = float(max(upper.grid.spacing_mm[1:]))
    turns = [np.degrees(pixel / np.linalg.norm(line[1] - line[0])) for line in lines]
    return angle, float(np.hypot(*turns))


def _endplate(mask: Mask, *, top: bool) -> np.ndarray:
    """Two points (row, column) in millimetres on the border of a vertebra that faces up, or down."""
    picture = np.asarray(mask.array.any(axis=0))
    pixel_mm = mask.grid.spacing_mm[1:]
    places = edge_points(picture) * pixel_mm
    centre = np.argwhere(picture).mean(axis=0) * pixel_mm
    tilt = 0.0
    for _ in range(4):
        down = np.array((np.cos(tilt), -np.sin(tilt)))
        across = np.array((np.sin(tilt), np.cos(tilt)))
        x, y = (places - centre) @ across, (places - centre) @ down
        reach = 0.4 * float(np.ptp(x))
        middle = (float(x.max()) + float(x.min())) / 2
        chosen = (np.abs(x - middle) <= reach) & ((y < 0) if top else (y > 0))
        if int(chosen.sum()) < _LEAST_ENDPLATE:
            raise InputError("Cobb angle: expected vertebrae some pixels wide, got one too narrow for an endplate")
        slope, offset = np.polyfit(x[chosen], y[chosen], 1)
        ends = np.array((middle - reach, middle + reach))
        line = centre + ends[:, None] * across + (slope * ends + offset)[:, None] * down
        tilt = tilt + float(np.arctan(slope))
    return np.asarray(line)


def _extent(picture: np.ndarray) -> float:
    """From the first to the last column that holds anything, in pixels."""
    columns = np.flatnonzero(picture.any(axis=0))
    return float(columns[-1] - columns[0] + 1) if columns.size else 0.0


def _widest_row(rows: np.ndarray) -> float:
    """The greatest distance from the first to the last pixel of one row, ends included."""
    filled = rows[rows.any(axis=1)]
    first = filled.argmax(axis=1)
    last = filled.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    return float((last - first + 1).max())


def _ratio(upper: float, lower: float, index: int) -> WidthRatio:
    ratio = upper / lower
    return WidthRatio(ratio, (upper, lower), index, float(ratio * np.hypot(1 / upper, 1 / lower)))


def _require_voxels(*masks: Mask) -> None:
    if not all(mask.array.any() for mask in masks):
        raise InputError("measurement: expected masks with voxels in them, got an empty one; check the labels")
    if len({mask.array.shape for mask in masks}) > 1:
        raise InputError("measurement: expected masks on one grid, got two shapes")
