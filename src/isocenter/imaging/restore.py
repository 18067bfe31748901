"""Volumes repaired and reshaped: bias field, ringing, rings, holes, damaged slices, CLAHE, morphology.

As in `enhance`: a volume and keyword options in, a volume on the same grid and in the same unit out.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging import artefacts, contrast, morphology
from isocenter.imaging.bias import correct_bias
from isocenter.imaging.channels import each_channel, keep_range, millimetres_of, spacing_of
from isocenter.imaging.damage import find_damaged_slices, interpolate_slices
from isocenter.imaging.inpaint import inpaint_biharmonic, inpaint_tv

# In pixels of the plane: the work grows with the square of the radius.
_LARGEST_BALL: Final = 250


def clahe(
    volume: Volume, mask: Mask | None = None, *, clip_limit: float = 2.0, tiles: tuple[int, ...] = (8, 8)
) -> Volume:
    """Contrast raised tile by tile, with a limit; two counts of tiles work in each slice, three in 3-D."""
    inside = _inside(volume, mask)
    return _changed(volume, lambda array: contrast.clahe(array, clip_limit=clip_limit, tiles=tiles, mask=inside))


def bias_field(volume: Volume, mask: Mask | None = None, *, control_points: int = 4) -> Volume:
    """The slow brightness field of MR coils divided out (N4)."""
    return correct_bias(volume, mask=_inside(volume, mask), control_points=control_points)[0]


def gibbs(volume: Volume) -> Volume:
    """Ringing beside sharp edges of MR taken out by shifts of less than a voxel, slice by slice."""
    return _changed(volume, artefacts.reduce_gibbs)


def ring(volume: Volume, *, center_px: tuple[float, float] | None = None, width_px: int = 5) -> Volume:
    """Rings of CT around the centre of rotation (row, column) taken out, slice by slice."""
    return _changed(volume, lambda array: artefacts.reduce_rings(array, center_px=center_px, width_px=width_px))


def inpaint(
    volume: Volume,
    mask: Mask | None = None,
    *,
    method: Literal["biharmonic", "tv"] = "biharmonic",
    slices: tuple[int, ...] | None = None,
) -> Volume:
    """What a mask covers filled from around it; without a mask, damaged slices found and interpolated.

    slices   numbers (from 0) of slices to interpolate, instead of those found
    The header's notes name every slice that was replaced, and why.
    """
    if mask is not None:
        inside = mask.array
        fill = inpaint_tv if method == "tv" else inpaint_biharmonic
        spacing = spacing_of(volume)
        return _changed(volume, lambda array: fill(array, inside, spacing_mm=spacing))
    if volume.is_2d:
        raise InputError("inpaint: expected a --mask of what to fill, a single slice has no neighbours; give one")
    gray = volume.array.mean(axis=-1) if volume.is_colour else volume.array
    if slices is None:
        reasons: dict[int, str] = {each.index: each.kind for each in find_damaged_slices(gray)}
    else:
        reasons = dict.fromkeys(slices, "as asked")
    repaired = _changed(volume, lambda array: interpolate_slices(array, tuple(reasons)))
    notes = tuple(f"slice-interpolated: {index} ({reason})" for index, reason in reasons.items())
    return replace(repaired, facts=replace(volume.facts, notes=volume.facts.notes + notes))


def erode(volume: Volume, *, radius_mm: float | None = None, radius_px: float | None = None) -> Volume:
    """The least value within a radius; a mask shrinks."""
    return _shaped(volume, morphology.erode_gray, radius_mm, radius_px)


def dilate(volume: Volume, *, radius_mm: float | None = None, radius_px: float | None = None) -> Volume:
    """The greatest value within a radius; a mask grows."""
    return _shaped(volume, morphology.dilate_gray, radius_mm, radius_px)


def opening(volume: Volume, *, radius_mm: float | None = None, radius_px: float | None = None) -> Volume:
    """Erosion, then dilation: bright things narrower than the ball go."""
    return _shaped(volume, morphology.open_gray, radius_mm, radius_px)


def closing(volume: Volume, *, radius_mm: float | None = None, radius_px: float | None = None) -> Volume:
    """Dilation, then erosion: dark things narrower than the ball go."""
    return _shaped(volume, morphology.close_gray, radius_mm, radius_px)


def _shaped(
    volume: Volume, change: Callable[..., np.ndarray], radius_mm: float | None, radius_px: float | None
) -> Volume:
    """Morphology with a ball: millimetres where they are known, else pixels; one pixel of the plane unless stated."""
    if radius_mm is not None and radius_px is not None:
        raise InputError("radius: expected --radius-mm or --radius-px, got both; leave one out")
    spacing = spacing_of(volume)
    radius = min(spacing[1:])
    if radius_mm is not None:
        radius, spacing = radius_mm, millimetres_of(volume, instead="--radius-px")
    elif radius_px is not None:
        radius, spacing = radius_px, (1.0, 1.0, 1.0)
    if radius > _LARGEST_BALL * min(spacing[1:]):
        raise InputError(f"radius: expected at most {_LARGEST_BALL} pixels, got {radius / min(spacing[1:]):g}")
    return each_channel(volume, lambda array: change(array, radius_mm=radius, spacing_mm=spacing))


def _changed(volume: Volume, change: Callable[[np.ndarray], np.ndarray]) -> Volume:
    changed = each_channel(volume, change)
    return replace(changed, array=keep_range(changed.array, volume.array.dtype))


def _inside(volume: Volume, mask: Mask | None) -> np.ndarray | None:
    return None if mask is None else _on_grid(volume, mask)


def _on_grid(volume: Volume, mask: Mask) -> np.ndarray:
    """The mask's voxels, after it is seen to lie on the volume's grid."""
    if mask.grid.shape != volume.grid.shape:
        raise InputError(f"mask: expected the image's {volume.grid.shape} voxels, got {mask.grid.shape}")
    return mask.array
