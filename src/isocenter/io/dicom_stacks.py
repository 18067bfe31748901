"""The frames of one series, sorted into regular stacks: places along the normal, moments at each place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from isocenter.core.errors import GeometryError
from isocenter.core.modality import PROJECTION
from isocenter.io.dicom_frames import Frame
from isocenter.io.dicom_geometry import cluster_distances, fit_stack, normal_of, split_regular
from isocenter.io.dicom_moments import Moments, order_moments


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames that make up one volume, or one cine of volumes.

    frames    [moment][slice]
    affine    index (k, j, i) to LPS mm; None where nobody places the image
    axis      "" for a volume, else what the moments are: "time", "diffusion", "frame"
    """

    frames: list[list[Frame]]
    affine: np.ndarray | None
    axis: str = ""
    times_s: np.ndarray = field(default_factory=lambda: np.zeros(1))
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Sorted:
    """The stacks of a series, and one line for each part that is no regular volume."""

    stacks: list[Stack] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


_FLAT: Final = PROJECTION | {"US", "IVUS", "ES", "XC", "OP", "GM", "SM"}


def sort_frames(frames: Sequence[Frame]) -> Sorted:
    """The regular stacks of one series.

    Files whose place nobody states, projections and ultrasound are images (or films) of their own. The others are
    parted by shape, direction, spacing and image type, then sorted along their normal.
    """
    result = Sorted()
    placed = [frame for frame in frames if frame.is_placed and frame.header.text("Modality") not in _FLAT]
    chosen = {id(frame) for frame in placed}
    by_file: dict[int, list[Frame]] = {}
    for frame in frames:
        if id(frame) not in chosen:
            by_file.setdefault(id(frame.header), []).append(frame)
    result.stacks += [_film(group) for group in by_file.values()]
    groups = _part(placed)
    mixed = _count_orientations(groups)
    for group in groups:
        _sort_group(group, result, (f"mixed-orientations: {mixed}",) if mixed > 1 else ())
    return result


def _film(frames: list[Frame]) -> Stack:
    """The frames of one file, as they come."""
    if len(frames) == 1:
        return Stack([frames], None)
    moments = order_moments([[frame] for frame in frames], by_file_order=True)
    return Stack(moments.frames, None, moments.axis, moments.times_s, moments.notes)


def _part(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one shape, direction, spacing and image type together, in the order they came."""
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _belong_together(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _belong_together(first: Frame, other: Frame) -> bool:
    same = (
        first.rows == other.rows
        and first.columns == other.columns
        and first.is_colour == other.is_colour
        and first.image_type == other.image_type
        and first.stack == other.stack
        and first.header.text("FrameOfReferenceUID") == other.header.text("FrameOfReferenceUID")
    )
    return (
        same and _close(first.orientation, other.orientation, 1e-3) and _close(first.spacing_mm, other.spacing_mm, 1e-3)
    )


def _close(first: tuple[float, ...] | None, other: tuple[float, ...] | None, tolerance: float) -> bool:
    return first is other or (
        first is not None
        and other is not None
        and all(abs(a - b) <= tolerance for a, b in zip(first, other, strict=True))
    )


def _count_orientations(groups: list[list[Frame]]) -> int:
    seen: list[tuple[float, ...]] = []
    for group in groups:
        orientation = group[0].orientation
        if orientation is not None and not any(_close(orientation, other, 1e-3) for other in seen):
            seen.append(orientation)
    return len(seen)


def _sort_group(frames: list[Frame], result: Sorted, notes: tuple[str, ...]) -> None:
    """Stacks of frames that share shape and direction; where places repeat unevenly, other keys part them first."""
    weighted, traces = _part_traces(frames)
    if traces:
        _sort_group(weighted, result, notes)
        _sort_group(traces, result, (*notes, "diffusion-trace"))
        return
    places = _places(frames)
    counts = {len(place) for place in places}
    if counts != {1}:
        for key in _SPLITTERS:
            parts = _split_by(frames, key)
            if len(parts) > 1 and (key is _echo or len(counts) > 1) and _all_even(parts):
                for part in parts:
                    _sort_group(part, result, notes)
                return
    if len(counts) > 1:
        frames, dropped = _drop_incomplete(places)
        if not frames:
            result.problems.append(
                f"expected each slice place equally often, got {min(counts)} to {max(counts)} times; "
                "send the complete series"
            )
            return
        notes = (*notes, f"incomplete-volume-dropped: {dropped} slices")
        places = _places(frames)
    _stack_places(places, result, notes)


def _part_traces(frames: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Frames of a diffusion series, and its direction-averaged images, which scanners file beside the weighted ones."""
    weighted = [frame for frame in frames if frame.diffusion is not None and frame.diffusion.b_value > 0]
    directed = [frame for frame in weighted if frame.diffusion is not None and any(frame.diffusion.direction)]
    chosen = {id(frame) for frame in weighted} - {id(frame) for frame in directed}
    if not directed or not chosen:
        return frames, []
    return [frame for frame in frames if id(frame) not in chosen], [frame for frame in frames if id(frame) in chosen]


def _places(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames by place along the normal, ascending."""
    orientation = frames[0].orientation
    if orientation is None:
        return []
    distances = np.array([frame.position_mm for frame in frames]) @ normal_of(orientation)
    return [[frames[int(index)] for index in part] for part in cluster_distances(distances)]


Key = Callable[[Frame], object]


def _echo(frame: Frame) -> object:
    return frame.echo_ms


def _acquisition(frame: Frame) -> object:
    return frame.steps.get("AcquisitionNumber")


_SPLITTERS: Final[tuple[Key, ...]] = (_echo, _acquisition)


def _split_by(frames: Sequence[Frame], key: Key) -> list[list[Frame]]:
    parts: dict[object, list[Frame]] = {}
    for frame in frames:
        parts.setdefault(key(frame), []).append(frame)
    return list(parts.values())


def _all_even(parts: list[list[Frame]]) -> bool:
    return all(len({len(place) for place in _places(part)}) == 1 for part in parts)


def _drop_incomplete(places: list[list[Frame]]) -> tuple[list[Frame], int]:
    """All moments that every place has, where at most one moment is incomplete: the scan was stopped."""
    least = min(len(place) for place in places)
    most = max(len(place) for place in places)
    if most - least != 1 or least < 2:
        return [], 0
    ordered = [sorted(place, key=lambda frame: frame.steps.get("InstanceNumber", (0.0,))) for place in places]
    kept = [frame for place in ordered for frame in place[:least]]
    return kept, sum(len(place) - least for place in places)


def _stack_places(places: list[list[Frame]], result: Sorted, notes: tuple[str, ...]) -> None:
    first = places[0][0]
    if first.orientation is None or first.spacing_mm is None:
        return
    moments = order_moments([list(column) for column in zip(*places, strict=True)])
    positions_mm = np.array([frame.position_mm for frame in moments.frames[0]])
    distances_mm = positions_mm @ normal_of(first.orientation)
    try:
        parts = split_regular(distances_mm)
        if len(parts) > 1:
            notes = (*notes, *_gap_notes(distances_mm, parts))
        for part in parts:
            neighbour_mm = float(np.diff(distances_mm).min()) if len(distances_mm) > 1 else None
            result.stacks.append(_fit_part(moments, part, positions_mm[part], neighbour_mm=neighbour_mm, notes=notes))
    except GeometryError as error:
        result.problems.append(str(error))


def _gap_notes(distances_mm: np.ndarray, parts: list[slice]) -> list[str]:
    """How many slices seem to be missing between the parts, and that they are parts."""
    step_mm = float(np.median(np.diff(distances_mm)))
    gaps_mm = [float(distances_mm[part.stop] - distances_mm[part.stop - 1]) for part in parts[:-1]]
    missing = [round(gap_mm / step_mm) - 1 for gap_mm in gaps_mm]
    notes = [f"split-at-uneven-spacing: {len(parts)} parts"]
    if all(
        n > 0 and abs(gap_mm - (n + 1) * step_mm) < 0.1 * step_mm for n, gap_mm in zip(missing, gaps_mm, strict=True)
    ):
        notes.insert(0, f"missing-slices: {sum(missing)}")
    return notes


def _fit_part(
    moments: Moments, part: slice, positions_mm: np.ndarray, *, neighbour_mm: float | None, notes: tuple[str, ...]
) -> Stack:
    first = moments.frames[0][part][0]
    if first.orientation is None or first.spacing_mm is None:
        raise GeometryError("expected a placed slice, got one without place")
    step_mm = first.step_mm or neighbour_mm
    geometry = fit_stack(positions_mm, first.orientation, spacing_mm=first.spacing_mm, step_mm=step_mm)
    return Stack(
        [volume[part] for volume in moments.frames],
        geometry.affine,
        moments.axis,
        moments.times_s,
        (*notes, *geometry.notes, *moments.notes),
    )
