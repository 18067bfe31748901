"""Parts of one stack put together again, with the slices between them that are missing interpolated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.channels import each_channel, keep_range
from isocenter.imaging.damage import interpolate_slices

# Shares of a voxel: how far a part may lie beside the grid of the first one.
_OFF_GRID: Final = 0.1


def join_parts(parts: Sequence[Volume]) -> Volume:
    """One volume of parts that lie on one even grid; slices missing between them are interpolated and named in a note.

    parts   volumes of one series, one above the other, of the same rows and columns

    Raises InputError where they do not lie on one grid, or where more slices are missing than there are.
    """
    first = max(parts, key=lambda part: part.grid.shape[0])  # a single slice does not know its distance to the next
    ordered = sorted(parts, key=lambda part: float(first.grid.to_index(part.grid.affine[:3, 3])[0]))
    base = ordered[0].grid.affine[:3, 3]
    starts = []
    for part in ordered:
        corner = first.grid.to_index(part.grid.affine[:3, 3]) - first.grid.to_index(base)
        slanted = np.abs(part.grid.affine[:3, 1:3] - first.grid.affine[:3, 1:3]).max()
        if part.array.shape[1:] != first.array.shape[1:] or slanted > 1e-3 * first.grid.spacing_mm.min():
            raise InputError("gap: expected parts of the same rows and columns, got others; name one of them")
        if np.abs(corner - (np.rint(corner[0]), 0, 0)).max() > _OFF_GRID:
            raise InputError("gap: expected whole slices missing between parts, got uneven places; resample the series")
        starts.append(int(np.rint(corner[0])))
    return _on_one_grid(ordered, starts, first)


def _on_one_grid(ordered: Sequence[Volume], starts: Sequence[int], first: Volume) -> Volume:
    """The parts at their places, and between them what lies between."""
    n_slices = starts[-1] + len(ordered[-1].array)
    array = np.zeros((n_slices, *first.array.shape[1:]), dtype=np.result_type(*(part.array for part in ordered)))
    filled = np.zeros(n_slices, dtype=np.int64)
    for part, start in zip(ordered, starts, strict=True):
        array[start : start + len(part.array)] = part.array
        filled[start : start + len(part.array)] += 1
    missing = [int(k) for k in np.flatnonzero(filled == 0)]
    if filled.max() > 1 or len(missing) > n_slices // 2:
        raise InputError(
            f"gap: expected fewer slices missing than there are, got {len(missing)} of {n_slices}; name one part"
        )
    affine = first.grid.affine.copy()
    affine[:3, 3] = ordered[0].grid.affine[:3, 3]
    grid = replace(first.grid, shape=array.shape[:3], affine=affine)
    kept = tuple(n for n in ordered[0].facts.notes if not n.startswith(("series-part", "split-at-uneven-spacing")))
    notes = (*kept, *(f"slice-interpolated: {k} (missing)" for k in missing))
    source = replace(ordered[0].source, instances=(), digests=tuple(d for p in ordered for d in p.source.digests))
    whole = Volume(array, grid, first.unit, first.modality, replace(ordered[0].facts, notes=notes), source)
    repaired = each_channel(whole, lambda channel: interpolate_slices(channel, missing))
    return replace(repaired, array=keep_range(repaired.array, array.dtype))
