"""Files in, a table of measurements out: what `isocenter measure` does."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from isocenter.app.image_files import open_image, open_regions, require_place, with_pixel_size
from isocenter.app.landmark_file import Landmarks, read_landmarks
from isocenter.app.measure_pairs import measure_extra
from isocenter.app.region_files import describe_regions
from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask, Regions
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.features.distances import line_profile
from isocenter.imaging.features.landmarks import measure_landmarks
from isocenter.imaging.measure import Measured, measure_partial_volume, measure_size, measure_values
from isocenter.imaging.pet import states_lean_mass, to_suv
from isocenter.imaging.spatial import crop_to_box, resample_mask
from isocenter.io.atomic import atomic_write
from isocenter.io.suffixes import suffix_of

COLUMNS = ("label", "name", "value", "unit", "method", "uncertainty")
_SAME_MM = 0.01
_MARGIN = 4
# Of lean-body uptake only these: the rest repeats body weight's by one factor.
_LEAN = frozenset({"sul_mean", "sul_max", "sul_peak"})


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What to measure beside size and values.

    extras          as `measure_pairs.EXTRAS` describes them: "abc2", "calcium", "evans=2,3" …
    as_stored       leave PET values as the file has them
    unit            what the image's values are, where its file does not say ("HU")
    pixel_size_mm   for a picture whose file states none
    split           measure each connected piece of a label on its own
    calcium_factor  mg of calcium per ml and HU, of the scanner's calibration
    roi             names or numbers of the mask's regions to measure; all where there are none
    """

    extras: tuple[str, ...] = ()
    as_stored: bool = False
    unit: str | None = None
    pixel_size_mm: float | None = None
    split: bool = False
    calcium_factor: float | None = None
    roi: tuple[str, ...] = ()


Row = tuple[str, Measured]


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was measured, and what the user should read beside it.

    regions   each label with the name that the mask's file gives it
    """

    rows: tuple[Row, ...]
    regions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def measure_files(
    image: Path, mask: Path | None, *, landmarks: Path | None = None, options: MeasureOptions = MeasureOptions()
) -> Measurements:
    """Every measurement of an image: of each label of a mask, of pairs of labels, and of marked places.

    Raises InputError for a mask without voxels, or on a grid that has no place in the image's; UnreadableError where a
    file cannot be read.
    """
    if mask is None and landmarks is None:
        raise InputError("measure: expected a mask or --landmarks, got neither; name one")
    volume = _opened(image, options)
    rows: list[Row] = []
    regions: Regions | None = None
    if mask is not None:
        regions = open_regions(mask, volume, roi=options.roi)
        rows += _measure_labels(volume, regions, options)
        rows += [
            row for extra in options.extras for row in measure_extra(extra, volume, regions, options.calcium_factor)
        ]
    if landmarks is not None:
        grid = volume.grid if volume.grid.spacing_known else Grid.of_spacing(volume.grid.shape, (1.0, 1.0, 1.0))
        for marked in read_landmarks(landmarks, grid):
            rows += _measure_marked(marked, volume, grid)
    if regions is None:
        return Measurements(tuple(rows))
    return Measurements(tuple(rows), describe_regions(regions), regions.notes)


def write_measurements(rows: Sequence[Row], out: Path) -> None:
    """The table as CSV, whole or not there: `label,name,value,unit,method,uncertainty`."""
    require_place(out)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for label, row in rows:
        uncertainty = "" if row.uncertainty is None else f"{row.uncertainty:.6g}"
        writer.writerow((label, row.name, f"{row.value:.9g}", row.unit, row.method, uncertainty))
    atomic_write(out, stream.getvalue().encode())


def _opened(path: Path, options: MeasureOptions) -> Volume:
    """The image with the pixel size and the unit that were given, PET as SUV."""
    volume = with_pixel_size(open_image(path), options.pixel_size_mm)
    unit = options.unit or (_unit_beside(path) if volume.unit == "a.u." else None)
    if unit is not None:
        volume = replace(volume, unit=unit)
    if volume.modality != "PT" or options.as_stored or volume.source.kind != "dicom":
        return volume
    return to_suv(volume, kind="SUVlbm" if volume.unit == "SUVlbm" else "SUVbw")


def _unit_beside(path: Path) -> str | None:
    """What the BIDS-style sidecar of a volume says its values are (`isocenter convert` writes one)."""
    suffix = suffix_of(path)
    sidecar = path.with_name(path.name[: len(path.name) - len(suffix)] + ".json")
    if suffix not in (".nii", ".nii.gz", ".nrrd") or not sidecar.is_file():
        return None
    try:
        stated = json.loads(sidecar.read_text(encoding="utf-8")).get("Units")
    except (OSError, ValueError, AttributeError):
        return None
    return stated if isinstance(stated, str) and stated else None


def _measure_labels(volume: Volume, labels: Regions, options: MeasureOptions) -> list[Row]:
    """Size and values of each label, in the order of their numbers."""
    if not labels.labels:
        raise InputError("mask: expected voxels above 0, found none; check that this is the mask")
    same = _is_same_grid(volume.grid, labels.grid)
    if not same:
        _require_overlap(volume.grid, labels)
    rows: list[Row] = []
    for name, mask in _masks(labels, split=options.split):
        rows += [(name, row) for row in _named(measure_size(mask), labels.names.get(int(name.split(".")[0]), ""))]
        note = ""
        if same:
            here, there = _cropped(volume, mask)
        else:
            here, there = volume, resample_mask(mask, volume.grid)
            note = "; mask brought to the image's grid by nearest neighbour"
            if not there.array.any():
                raise GeometryError(f"label {name}: expected it inside the image, it lies outside; check the mask")
        rows += [(name, row) for row in _value_rows(here, there, note)]
    return rows


def _named(rows: Sequence[Measured], region: str) -> list[Measured]:
    """The rows, the first of which says what the mask's file calls the region."""
    first = rows[0]
    return [replace(first, method=f'{first.method}; region "{region}"') if region else first, *rows[1:]]


def _value_rows(volume: Volume, mask: Mask, note: str) -> list[Measured]:
    """Partial volume and statistics; of SUV by lean body mass too, where the header has what that takes."""
    suv = next((f"; {each}" for each in reversed(volume.facts.notes) if each.startswith("suv: ")), "")
    rows = [*measure_partial_volume(volume, mask), *measure_values(volume, mask)]
    if volume.unit == "SUVbw" and states_lean_mass(volume):
        lean = measure_values(to_suv(volume, kind="SUVlbm"), mask)
        rows += [replace(row, method=f"{row.method}; Janmahasatian") for row in lean if row.name in _LEAN]
    return [replace(row, method=row.method + suv + note) for row in rows]


def _masks(labels: Regions, *, split: bool) -> list[tuple[str, Mask]]:
    """Each label's mask by its name; its pieces as "1.1", "1.2" … where they are to be split."""
    found = []
    for label in labels.labels:
        mask = labels.mask_of(label)
        pieces, n_pieces = label_components(mask.array) if split else (mask.array, 1)
        if n_pieces == 1:
            found.append((str(label), mask))
            continue
        found += [(f"{label}.{piece}", Mask(pieces == piece, labels.grid)) for piece in range(1, n_pieces + 1)]
    return found


def _cropped(volume: Volume, mask: Mask) -> tuple[Volume, Mask]:
    """Both around the mask with a margin that every measurement needs at most."""
    spacing = np.linalg.norm(volume.grid.affine[:3, :3], axis=0)
    margin = np.maximum(_MARGIN, np.ceil(7.0 / spacing).astype(int)) if volume.grid.spacing_known else (_MARGIN,) * 3
    starts, stops = [], []
    for axis in range(3):
        places = np.flatnonzero(mask.array.any(axis=tuple(other for other in range(3) if other != axis)))
        starts.append(max(int(places[0]) - int(margin[axis]), 0))
        stops.append(min(int(places[-1]) + 1 + int(margin[axis]), mask.array.shape[axis]))
    part = crop_to_box(volume, starts, stops)
    box = tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))
    return part, Mask(mask.array[box], part.grid)


def _is_same_grid(fixed: Grid, moving: Grid) -> bool:
    return fixed.shape == moving.shape and float(np.abs(fixed.affine - moving.affine).max()) <= _SAME_MM


def _require_overlap(fixed: Grid, labels: Regions) -> None:
    """Raise unless both places are known in the patient."""
    if not (fixed.position_known and labels.grid.position_known):
        raise GeometryError(
            f"mask: expected the image's grid of {fixed.shape} voxels, got {labels.grid.shape}, and one of both has no "
            "place in the patient; draw the mask on this image"
        )


def _measure_marked(marked: Landmarks, volume: Volume, grid: Grid) -> list[Row]:
    """The measurement of marked places; a profile gives one row for each sample."""
    if marked.measure == "profile":
        if set(marked.points) != {"start", "end"}:
            raise InputError("landmarks: profile expects the points start, end")
        here = replace(volume, grid=grid)
        found = line_profile(here, start_mm=marked.points["start"], end_mm=marked.points["end"])
        unit = "mm" if volume.grid.spacing_known else "px"
        return [
            (marked.label, Measured("profile", float(value), volume.unit, f"at {distance:.3f} {unit} from the start"))
            for distance, value in zip(found.distances_mm, found.values, strict=True)
        ]
    value, unit, uncertainty = measure_landmarks(marked.measure, marked.points, grid)
    if unit == "mm" and not volume.grid.spacing_known:
        unit = "px"
    return [(marked.label, Measured(marked.measure, value, unit, "from marked places", uncertainty))]
