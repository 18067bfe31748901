"""A DICOM Segmentation as named regions: on the image that it was drawn on, else on a grid of its own.

Source: PS3.3 A.51 and C.8.20 (Segmentation), C.7.6.16 (functional groups), A.51.2 note on LABELMAP.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from isocenter.core.errors import FormatError, GeometryError
from isocenter.core.grid import Grid
from isocenter.core.mask import Regions
from isocenter.core.volume import Volume
from isocenter.io.boundary import untrusted
from isocenter.io.dicom_belong import plain_name, require_belonging
from isocenter.io.dicom_decode import Layout, read_layout
from isocenter.io.dicom_geometry import cluster_distances, normal_of
from isocenter.io.dicom_parser import bare_header, collected_warnings, read_dataset
from isocenter.io.dicom_pixels import stored_reader
from isocenter.io.inputs import InputFile
from isocenter.io.limits import check_shape

if TYPE_CHECKING:
    from pydicom import Dataset

# A share of this and more is inside, of a FRACTIONAL segmentation.
_HALF: Final = 0.5
# Index units: positions are written with few decimals.
_SAME_VOXEL: Final = 0.05
_STEP_TOLERANCE: Final = 0.1
Reference = tuple[str, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One frame: whose it is (0 in a label map), where, and which image frame it was drawn on."""

    index: int
    segment: int
    position_mm: np.ndarray | None
    reference: Reference | None


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """What all frames share: directions of a row and a column, spacing of rows, columns and (if stated) slices."""

    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]
    step_mm: float | None
    thickness_mm: float | None


def read_segmentation(file: InputFile, like: Volume | None = None) -> Regions:
    """The segments of a BINARY, FRACTIONAL or LABELMAP segmentation, by their numbers, with their labels as names.

    like   the image: where its voxels are those of the segmentation, the regions come on its grid

    Of a FRACTIONAL one, a voxel is inside from a share of one half.
    Raises FormatError for tiles of a slide or frames that nothing places, GeometryError for planes of several
    directions or uneven places, or a segmentation of another image.
    """
    with untrusted("a DICOM segmentation"), collected_warnings():
        dataset, pixels = read_dataset(file)
        header = bare_header(file, dataset, pixels)
        layout = read_layout(header)
        frames, plane = _frames_of(dataset, layout), _plane_of(dataset)
        references = {frame.reference[0] for frame in frames if frame.reference}
        require_belonging(str(dataset.get("FrameOfReferenceUID") or ""), references, like)
        grid, slices = _placed(frames, plane, layout, like)
        check_shape(grid.shape, 2)
        read = stored_reader(header, layout, memoryview(file.path.read_bytes()))
        kind = str(dataset.get("SegmentationType") or "BINARY")
        names = {int(item.SegmentNumber): plain_name(item.get("SegmentLabel")) for item in dataset.SegmentSequence}
        if kind == "LABELMAP":
            parts = _label_parts(dataset, frames, slices, read)
        else:
            full = float(dataset.get("MaximumFractionalValue") or 255) if kind == "FRACTIONAL" else 1.0
            parts = _segment_parts(frames, slices, read, full * _HALF)
        notes = (f"fractional segments: inside from {_HALF:g} of the whole",) if kind == "FRACTIONAL" else ()
        found = Regions.stacked(
            parts, grid, names={key: name for key, name in names.items() if name and key}, notes=notes
        )
    return found


def _first(item: Any, keyword: str) -> Any:
    items = item.get(keyword) if item is not None else None
    return items[0] if items else None


def _frames_of(dataset: "Dataset", layout: Layout) -> list[_Frame]:
    """Every frame that the file has pixels for, in order."""
    if dataset.get("TotalPixelMatrixRows"):
        raise FormatError("expected a segmentation of a volume, got tiles of a slide; export the region as a picture")
    shared, groups = _first(dataset, "SharedFunctionalGroupsSequence"), dataset.get("PerFrameFunctionalGroupsSequence")
    if not groups or len(groups) < layout.frames:
        raise FormatError(
            f"expected functional groups for {layout.frames} frames, got {len(groups or ())}; export the file again"
        )
    frames = []
    for index, group in enumerate(groups[: layout.frames]):
        named = _first(group, "SegmentIdentificationSequence") or _first(shared, "SegmentIdentificationSequence")
        place = _first(group, "PlanePositionSequence") or _first(shared, "PlanePositionSequence")
        corner = place.get("ImagePositionPatient") if place is not None else None
        frames.append(
            _Frame(
                index,
                int(named.ReferencedSegmentNumber) if named is not None else 0,
                np.array([float(value) for value in corner]) if corner else None,
                _reference_of(group),
            )
        )
    return frames


def _reference_of(group: "Dataset") -> Reference | None:
    source = _first(_first(group, "DerivationImageSequence"), "SourceImageSequence")
    if source is None or not source.get("ReferencedSOPInstanceUID"):
        return None
    number = source.get("ReferencedFrameNumber")
    first = number if number is None or isinstance(number, int) else number[0]
    return str(source.ReferencedSOPInstanceUID), None if first is None else int(first)


def _plane_of(dataset: "Dataset") -> _Plane | None:
    """Directions and spacing, None where nobody states them; one for all frames, else GeometryError."""
    shared = _first(dataset, "SharedFunctionalGroupsSequence")
    found: list[tuple[tuple[float, ...], tuple[float, ...], float | None, float | None]] = []
    for group in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        place = _first(group, "PlaneOrientationSequence") or _first(shared, "PlaneOrientationSequence")
        size = _first(group, "PixelMeasuresSequence") or _first(shared, "PixelMeasuresSequence")
        if place is None or size is None:
            return None
        known = (
            tuple(float(value) for value in place.ImageOrientationPatient),
            tuple(float(value) for value in size.PixelSpacing),
            _positive(size.get("SpacingBetweenSlices")),
            _positive(size.get("SliceThickness")),
        )
        if found and not np.allclose([*known[0], *known[1]], [*found[0][0], *found[0][1]], atol=1e-4):
            raise GeometryError("expected segments of one direction and pixel size, got several; export them apart")
        found = found or [known]
        if "PlaneOrientationSequence" not in group and "PixelMeasuresSequence" not in group:
            break
    if not found:
        return None
    orientation, spacing, step, thickness = found[0]
    if len(orientation) != 6 or len(spacing) != 2 or min(spacing) <= 0:
        raise GeometryError("expected six direction cosines and two positive spacings; export the segmentation again")
    return _Plane(orientation, (spacing[0], spacing[1]), step, thickness)


def _positive(value: object) -> float | None:
    number = float(str(value)) if value not in (None, "") else 0.0
    return number if number > 0 else None


def _placed(
    frames: Sequence[_Frame], plane: _Plane | None, layout: Layout, like: Volume | None
) -> tuple[Grid, list[int]]:
    """The grid, and the slice of each frame on it."""
    size = (layout.rows, layout.columns)
    positions = [frame.position_mm for frame in frames if frame.position_mm is not None]
    if plane is None or len(positions) != len(frames):
        return _by_reference(frames, size, like)
    corners = np.stack(positions)
    if like is not None and like.grid.position_known and like.grid.shape[1:] == size:
        slices = _slices_on(like.grid, corners, plane)
        if slices is not None:
            return like.grid, slices
    return _own_grid(corners, plane, size, like)


def _by_reference(frames: Sequence[_Frame], size: tuple[int, int], like: Volume | None) -> tuple[Grid, list[int]]:
    """By the image frames that they were drawn on, where no place in the patient is stated."""
    if any(frame.reference is None for frame in frames):
        raise FormatError("expected frames with a place or a source image, got neither; export the segmentation again")
    drawn_on = list(dict.fromkeys(frame.reference for frame in frames))
    if like is not None and like.source.instances and like.grid.shape[1:] == size:
        known = {(each.sop_uid, each.frame or 1): k for k, each in enumerate(like.source.instances)}
        found = [
            known.get((uid, number or 1)) for uid, number in (frame.reference for frame in frames if frame.reference)
        ]
        if None not in found:
            return like.grid, [k for k in found if k is not None]
    return Grid.of_pixels((len(drawn_on), *size)), [drawn_on.index(frame.reference) for frame in frames]


def _slices_on(grid: Grid, corners_mm: np.ndarray, plane: _Plane) -> list[int] | None:
    """The image's slice under each frame where both have the same pixels, else None."""
    rows, columns = grid.shape[1] - 1, grid.shape[2] - 1
    down = np.array(plane.orientation[3:]) * plane.spacing_mm[0] * rows
    across = np.array(plane.orientation[:3]) * plane.spacing_mm[1] * columns
    found = np.stack([grid.to_index(corners_mm + shift) for shift in (0 * down, down, across)])
    slices = np.rint(found[0, :, 0])
    wanted = np.zeros_like(found)
    wanted[..., 0], wanted[1, :, 1], wanted[2, :, 2] = slices, rows, columns
    if np.abs(found - wanted).max() > _SAME_VOXEL or slices.min() < 0 or slices.max() >= grid.shape[0]:
        return None
    return [int(k) for k in slices]


def _own_grid(
    corners_mm: np.ndarray, plane: _Plane, size: tuple[int, int], like: Volume | None
) -> tuple[Grid, list[int]]:
    """A regular grid through all frames; slices that nothing was drawn on are empty."""
    normal = normal_of(plane.orientation)
    distances = corners_mm @ normal
    places = cluster_distances(distances)
    at_mm = np.array([distances[place].mean() for place in places])
    step_mm = (
        plane.step_mm
        or _step_like(like, normal)
        or (float(np.diff(at_mm).min()) if len(at_mm) > 1 else plane.thickness_mm)
    )
    if step_mm is None:
        raise GeometryError("expected a slice thickness of the one plane, the segmentation states none; give its image")
    numbers = (at_mm - at_mm[0]) / step_mm
    whole = np.rint(numbers)
    if np.abs(numbers - whole).max() > _STEP_TOLERANCE or len(np.unique(whole)) < len(whole):
        raise GeometryError(
            f"expected planes every {step_mm:.2f} mm, got steps from {np.diff(at_mm).min():.2f} to "
            f"{np.diff(at_mm).max():.2f} mm; export the segmentation on the image's slices"
        )
    first, last = corners_mm[places[0][0]], corners_mm[places[-1][0]]
    affine = np.eye(4)
    affine[:3, 0] = (last - first) / whole[-1] if whole[-1] else normal * step_mm
    affine[:3, 1] = np.array(plane.orientation[3:]) * plane.spacing_mm[0]
    affine[:3, 2] = np.array(plane.orientation[:3]) * plane.spacing_mm[1]
    affine[:3, 3] = first
    slices = np.zeros(len(corners_mm), int)
    for k, place in zip(whole, places, strict=True):
        slices[place] = int(k)
    return Grid((int(whole[-1]) + 1, *size), affine), slices.tolist()


def _step_like(like: Volume | None, normal: np.ndarray) -> float | None:
    """The image's slice step where its slices are parallel to these planes."""
    if like is None or not like.grid.position_known or like.grid.shape[0] < 2:
        return None
    across = np.cross(like.grid.affine[:3, 2], like.grid.affine[:3, 1])
    across /= np.linalg.norm(across)
    if abs(float(across @ normal)) < 1 - 1e-4:
        return None
    return abs(float(like.grid.affine[:3, 0] @ normal))


def _segment_parts(
    frames: Sequence[_Frame], slices: Sequence[int], read: Any, least: float
) -> Iterator[tuple[int, Mapping[int, np.ndarray]]]:
    """(number, planes by slice) of each segment, one in memory at a time."""
    by_segment: dict[int, list[_Frame]] = defaultdict(list)
    for frame in frames:
        by_segment[frame.segment].append(frame)
    for number in sorted(by_segment):
        planes: dict[int, np.ndarray] = {}
        for frame in by_segment[number]:
            inside = read(frame.index) >= least
            k = slices[frame.index]
            planes[k] = planes[k] | inside if k in planes else inside
        yield number, planes


def _label_parts(
    dataset: "Dataset", frames: Sequence[_Frame], slices: Sequence[int], read: Any
) -> Iterator[tuple[int, Mapping[int, np.ndarray]]]:
    """The same of a label map: its values are the segments' numbers; 0 and the padding value are nothing."""
    nothing = {0, int(dataset.get("PixelPaddingValue") or 0)}
    planes = [(slices[frame.index], read(frame.index)) for frame in frames]
    numbers = sorted({int(value) for _, plane in planes for value in np.unique(plane)} - nothing)
    for number in numbers:
        yield number, {k: plane == number for k, plane in planes if (plane == number).any()}
