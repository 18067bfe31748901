"""Everything that is measured of one mask on one image: name, value, unit, method, and how far off it may be.

An uncertainty is the half-width of the interval that holds the true value in 95 of 100 cases, from the size of the
voxels alone: the boundary may lie half a voxel further in or out. It does not cover who drew the mask.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.features.caliper import calipers
from isocenter.imaging.features.mesh import measure_surface
from isocenter.imaging.features.partial_volume import estimate_volume
from isocenter.imaging.features.shape import InPlaneAxes, axes_in_plane, surface_mm2
from isocenter.imaging.features.uptake import find_peak, metabolic_mask, total_glycolysis_g
from isocenter.imaging.features.values import boundary_spread, describe_values
from isocenter.imaging.spatial import crop_to_box, reorient_to_axial

_MARGIN: Final = 4
_BY_COUNT: Final = "counted voxels"
# Prefix of the names by the image's unit, and the unit as written.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "HU": ("hu", "HU"),
    "SUVbw": ("suv", "g/ml"),
    "SUVlbm": ("sul", "g/ml"),
    "SUVbsa": ("suv_bsa", "cm2/ml"),
    "Bq/ml": ("activity", "Bq/ml"),
}
# Crofton's estimate is right to about this much on smooth bodies, two standard deviations.
_SURFACE_SPREAD: Final = 0.04


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of a table of measurements.

    unit          "mm", "mm2", "ml", "HU", "g/ml", "g", "deg", "px" where no pixel size is known, "1"
    uncertainty   half-width of the 95 % interval in the same unit; None where voxel size says nothing of it
    """

    name: str
    value: float
    unit: str
    method: str
    uncertainty: float | None = None


def measure_size(mask: Mask) -> tuple[Measured, ...]:
    """Axes, calipers, volumes, surface and sphericity of a mask; area and axes where the image is one flat picture.

    Where no pixel size is known, lengths are in pixels ("px") and there is no volume in millilitres.

    Raises InputError for an empty mask.
    """
    if not mask.array.any():
        raise InputError("measure: expected a mask with voxels in it, got an empty one; check the label")
    mask = crop_mask(mask)
    n_pieces = label_components(mask.array)[1]
    rows = [
        Measured("voxels", mask.n_voxels, "1", _BY_COUNT),
        Measured("components", n_pieces, "1", "pieces that touch by face, edge or corner"),
    ]
    note = f"; over {n_pieces} pieces" if n_pieces > 1 else ""
    if is_flat(mask.grid):
        return (*rows, *_flat_rows(mask, note))
    if not mask.grid.spacing_known:
        return tuple(rows)
    axial = axial_mask(mask)
    axes = _axis_rows(axes_in_plane(axial), axial, note=note)
    return (*rows, *axes, *_caliper_rows(mask, note), *_body_rows(mask))


def measure_values(volume: Volume, mask: Mask) -> tuple[Measured, ...]:
    """Statistics of the values inside a mask, named by the image's unit; for SUV also peak, MTV and TLG.

    mask   on the volume's grid

    Raises InputError for an empty mask, colour, or values that are not finite.
    """
    prefix, unit = _KINDS.get(volume.unit, ("intensity", volume.unit))
    if volume.is_colour:
        raise InputError("measure: expected a gray image, got colour; convert it with isocenter enhance grey")
    box = _box(mask)
    part = crop_to_box(volume, *box)
    inside = Mask(mask.array[tuple(slice(a, b) for a, b in zip(*box, strict=True))], part.grid)
    found, spread = describe_values(part.array, inside), boundary_spread(part.array, inside)
    how = {"sd": "population standard deviation", "p10": "10th percentile", "p90": "90th percentile"}
    rows = [
        Measured(
            f"{prefix}_{name}", getattr(found, name), unit, f"{how.get(name, name)} of the voxels",
            getattr(spread, name),
        )
        for name in found.__slots__
    ]  # fmt: skip
    if prefix in ("suv", "sul", "suv_bsa") and mask.grid.spacing_known:
        rows += _uptake_rows(part, inside, prefix, unit)
    return tuple(rows)


def measure_partial_volume(volume: Volume, mask: Mask) -> tuple[Measured, ...]:
    """The volume with boundary voxels counted in part; () where the image shows no such boundary.

    mask   on the volume's grid
    """
    if volume.is_colour or not mask.grid.spacing_known or is_flat(mask.grid):
        return ()
    box = _box(mask)
    part = crop_to_box(volume, *box)
    inside = Mask(mask.array[tuple(slice(a, b) for a, b in zip(*box, strict=True))], part.grid)
    found = estimate_volume(part.array, inside)
    if found is None:
        return ()
    how = f"boundary voxels in part, between {found.outside:.4g} outside and {found.inside:.4g} inside"
    return (Measured("volume_partial", found.volume_ml, "ml", how, found.uncertainty_ml),)


def is_flat(grid: Grid) -> bool:
    """Whether the image is one picture whose thickness nobody knows."""
    return grid.shape[0] == 1 and not grid.position_known


def axial_mask(mask: Mask) -> Mask:
    """The mask turned by quarter turns so that its slices are axial; as it is where the patient's axes are unknown."""
    if not mask.grid.position_known:
        return mask
    turned = reorient_to_axial(Volume(mask.array.astype(np.uint8), mask.grid))
    return Mask(turned.array > 0, turned.grid)


def crop_mask(mask: Mask) -> Mask:
    """The mask without most of the empty space around it; every voxel keeps its place. An empty mask stays as it is."""
    if not mask.array.any():
        return mask
    part = crop_to_box(Volume(mask.array.astype(np.uint8), mask.grid), *_box(mask))
    return Mask(part.array > 0, part.grid)


def half_voxel_ml(mask: Mask) -> float:
    """What the volume changes when the boundary moves by half a voxel everywhere, in millilitres.

    Each face between inside and outside moves half a voxel of volume; the faces of the three axes are added in
    quadrature, which is exact for a plane however it is tilted.
    """
    padded = np.pad(mask.array, 1)
    faces = [np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(3)]
    return float(np.linalg.norm(faces)) * mask.grid.voxel_volume_ml / 2


def _flat_rows(mask: Mask, note: str) -> list[Measured]:
    """Area and axes of a mask in one picture, in millimetres or in pixels."""
    known = mask.grid.spacing_known
    here = mask if known else Mask(mask.array, Grid.of_spacing(mask.grid.shape, (1.0, 1.0, 1.0)))
    pixel_area = float(np.prod(here.grid.spacing_mm[1:]))
    padded = np.pad(mask.array[0], 1)
    faces = [np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(2)]
    note = _plane_note(mask.grid) + note
    area = Measured(
        "area", mask.n_voxels * pixel_area, "mm2" if known else "px2", f"counted pixels{note}",
        float(np.linalg.norm(faces)) * pixel_area / 2,
    )  # fmt: skip
    return [area, *_axis_rows(axes_in_plane(here), here, unit="mm" if known else "px", note=note)]


def _plane_note(grid: Grid) -> str:
    return "; in the plane of the detector, magnified" if grid.spacing_source == "detector" else ""


def _axis_rows(axes: InPlaneAxes, mask: Mask, *, unit: str = "mm", note: str = "") -> list[Measured]:
    """Long and short axis and their mean. Half a voxel at either end, and what the nearest slice may miss."""
    missed = 0.0
    if mask.grid.shape[0] > 1:
        n_slices = int(np.count_nonzero(mask.array.any(axis=(1, 2))))
        # The widest place of an ellipsoid of n slices lies up to half a slice from the nearest slice.
        missed = 1 - math.sqrt(1 - 1 / max(n_slices, 2) ** 2)
    spreads = []
    for length, ends in ((axes.long_mm, axes.long_ends), (axes.short_mm, axes.short_ends)):
        in_pixels = float(np.linalg.norm(np.subtract(*ends)))
        spreads.append(length / in_pixels + missed * length if in_pixels else float(mask.grid.spacing_mm.max()))
    plane = "in the axial slice that shows it longest" if mask.grid.position_known else "in the slice that shows it"
    how = f"convex outline, {plane}{note}"
    return [
        Measured("long_axis", axes.long_mm, unit, f"longest diameter (RECIST 1.1), {how}", spreads[0]),
        Measured("short_axis", axes.short_mm, unit, f"longest at right angles to the long axis, {how}", spreads[1]),
        Measured(
            "mean_diameter", axes.mean_mm, unit, "mean of long and short axis", math.hypot(*spreads) / 2
        ),
    ]  # fmt: skip


def _caliper_rows(mask: Mask, note: str) -> list[Measured]:
    """Feret diameters in three dimensions. Half a voxel at either end, along their own direction."""
    found = calipers(mask)
    spacing = mask.grid.spacing_mm
    steps = [float(np.linalg.norm(spacing * way)) for way in (found.longest_direction, found.shortest_direction)]
    how = f"caliper over the convex hull in three dimensions{note}"
    return [
        Measured("feret_max", found.longest_mm, "mm", f"longest {how}", steps[0]),
        Measured("feret_min", found.shortest_mm, "mm", f"shortest {how}", steps[1]),
    ]


def _body_rows(mask: Mask) -> list[Measured]:
    """Volumes, surface and sphericity, with what half a voxel changes."""
    spacing = mask.grid.spacing_mm
    half_ml = half_voxel_ml(mask)
    volume_ml = mask.volume_ml
    mesh = measure_surface(mask.array, spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])))
    area_mm2 = float(surface_mm2(mask))
    # Nothing is rounder than a ball; the estimate for a few voxels would be.
    roundness = min(1.0, float(np.pi ** (1 / 3) * (6000 * volume_ml) ** (2 / 3) / area_mm2))
    # A layer of thickness t adds S t to the volume of a ball and 2 t / R to its surface; R = 3 V / S.
    share = half_ml / volume_ml
    area_spread = _SURFACE_SPREAD + 2 / 3 * share
    return [
        Measured("volume", volume_ml, "ml", _BY_COUNT, half_ml),
        Measured("volume_mesh", mesh.volume_mm3 / 1000, "ml", "marching cubes through half-way points", half_ml),
        Measured("surface_area", area_mm2, "mm2", "Crofton's formula in 13 directions", area_mm2 * area_spread),
        Measured(
            "sphericity", roundness, "1", "surface of a ball of the same volume over the surface",
            roundness * (_SURFACE_SPREAD + share / 3),
        ),
    ]  # fmt: skip


def _uptake_rows(part: Volume, inside: Mask, prefix: str, unit: str) -> list[Measured]:
    """Peak, metabolic volume and glycolysis."""
    body = "" if prefix == "suv" else f"_{prefix}"
    hot = metabolic_mask(part.array, inside)
    peak = find_peak(part.array, inside)
    how = "highest mean of a 1 ml ball centred in the mask, cut voxels in part (PERCIST)"
    rows = [Measured(f"{prefix}_peak", peak.value, unit, how, peak.spread)]
    for name, region, how in (("", inside, "the mask"), ("_41", hot, "voxels of 41 % of the maximum and more")):
        volume_ml = region.volume_ml
        half_ml = half_voxel_ml(region)
        glycolysis = total_glycolysis_g(part.array, region)
        edge = float(describe_values(part.array, region).p10)
        if prefix == "suv":
            rows.append(Measured(f"mtv{name}", volume_ml, "ml", f"volume of {how}", half_ml))
        mass = "g" if unit == "g/ml" else "cm2"
        rows.append(Measured(f"tlg{name}{body}", glycolysis, mass, f"mean times volume of {how}", half_ml * edge))
    return rows


def _box(mask: Mask) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The box that holds the mask with a margin, as (start, stop). Raises InputError for an empty mask."""
    starts, stops = [], []
    for axis in range(3):
        places = np.flatnonzero(mask.array.any(axis=tuple(other for other in range(3) if other != axis)))
        if not places.size:
            raise InputError("measure: expected a mask with voxels in it, got an empty one; check the label")
        starts.append(max(int(places[0]) - _MARGIN, 0))
        stops.append(min(int(places[-1]) + 1 + _MARGIN, mask.array.shape[axis]))
    return (starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2])
