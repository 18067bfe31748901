"""Regions from a file on an image: labels of any format, a DICOM Segmentation, or an RT Structure Set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.contours import Structure
from isocenter.core.errors import FormatError, InputError, IsocenterError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.mask import Regions
from isocenter.core.volume import Volume
from isocenter.imaging.rasterise import grid_of_structures, is_parallel, rasterise_structure
from isocenter.io.dicom_belong import require_belonging
from isocenter.io.dicom_contours import read_contours
from isocenter.io.dicom_scan import scan_file
from isocenter.io.dicom_segmentation import read_segmentation
from isocenter.io.inputs import InputFile, open_inputs
from isocenter.io.limits import check_shape
from isocenter.io.sniff import sniff_content

_SEGMENTATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
_SURFACES: Final = "1.2.840.10008.5.1.4.1.1.66.5"
_STRUCTURES: Final = "1.2.840.10008.5.1.4.1.1.481.3"
# For contours without an image.
_PIXEL_MM: Final = 1.0


def read_drawn_regions(path: Path, like: Volume | None = None) -> Regions | None:
    """The regions of the one DICOM Segmentation or RT Structure Set at a path; None where there is neither.

    path   the file, or a folder or zip in which it lies, its image beside it or not
    like   the image: regions that fit its voxels come on its grid, others on a grid of their own

    Raises UnreadableError where it cannot be read, GeometryError for one of another image, InputError for several.
    """
    if not path.is_dir() and not _may_be_drawn(path):
        return None
    with open_inputs([path]) as inputs:
        drawn = [(file, kind) for file in inputs.files if (kind := _sop_class(file))]
        if not drawn:
            return None
        if len(drawn) > 1:
            names = ", ".join(file.label.name for file, _ in drawn[:5])
            raise InputError(
                f"{path}: expected one segmentation or structure set, got {len(drawn)} ({names}); name one"
            )
        file, kind = drawn[0]
        try:
            if kind in _SEGMENTATIONS:
                return read_segmentation(file, like)
            if kind == _SURFACES:
                raise FormatError("expected voxels or contours, got a surface segmentation; export it as SEG")
            return _on_grid(file, like)
        except FormatError as error:
            raise UnreadableError(f"{path}: {error}") from error


def choose_regions(regions: Regions, wanted: Sequence[str]) -> Regions:
    """Only the regions of these names (in any case of letters) or numbers; all of them where none is wanted.

    Raises InputError for one that is not there, or a name that several have.
    """
    if not wanted:
        return regions
    chosen: list[int] = []
    for each in wanted:
        folded = each.strip().casefold()
        found = [number for number, name in regions.names.items() if name.casefold() == folded]
        if not found and each.strip().isdecimal() and int(each) in regions.labels:
            found = [int(each)]
        if len(found) != 1:
            listed = ", ".join(map(str, regions.labels[:20]))
            what = f"{len(found)} regions of that name" if found else "none of that name or number"
            raise InputError(
                f"--roi: expected one of the regions {listed}, got {what}; isocenter measure prints their names"
            )
        chosen += found
    return regions.only(chosen)


def describe_regions(regions: Regions) -> tuple[str, ...]:
    """Each region that occurs as `1 "Liver"`, or `1` where nobody named it."""
    return tuple(
        f'{label} "{regions.names[label]}"' if regions.names.get(label) else str(label) for label in regions.labels
    )


def _may_be_drawn(path: Path) -> bool:
    """Whether the file is DICOM or an archive."""
    try:
        return sniff_content(path)[0] in ("dicom", "zip")
    except OSError:
        return False


def _sop_class(file: InputFile) -> str:
    """The SOP class of a segmentation or a structure set; "" for anything else."""
    if file.kind != "dicom":
        return ""
    try:
        header = scan_file(file)
    except (IsocenterError, OSError):
        return ""
    found = header.text("SOPClassUID")
    return found if found in _SEGMENTATIONS | {_SURFACES, _STRUCTURES} else ""


def _on_grid(file: InputFile, like: Volume | None) -> Regions:
    """The structures of a file on the image's grid, or on one of their own where the image's slices are not theirs."""
    drawn = read_contours(file)
    require_belonging(drawn.frame_of_reference_uid, drawn.sop_uids, like)
    notes = drawn.notes
    if like is not None and like.grid.position_known and all(is_parallel(each, like.grid) for each in drawn.structures):
        grid = like.grid
    else:
        grid = _grid_apart(drawn.structures, like)
        notes = (
            *notes,
            f"contours do not lie in the image's slices: filled in their own planes, {grid.spacing_mm[1]:g} mm pixels",
        )
    check_shape(grid.shape, 2)
    names = {each.number: each.name for each in drawn.structures if each.name}
    parts = ((each.number, rasterise_structure(each, grid)) for each in drawn.structures)
    return Regions.stacked(parts, grid, names=names, notes=notes)


def _grid_apart(structures: Sequence[Structure], like: Volume | None) -> Grid:
    fine = like is not None and like.grid.position_known
    pixel_mm = float(np.min(like.grid.spacing_mm)) if like is not None and fine else _PIXEL_MM
    return grid_of_structures(structures, pixel_mm)
