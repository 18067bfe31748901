"""One series of headers as volumes and cines."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError, IsocenterError
from isocenter.core.grid import Grid
from isocenter.core.study import InputFailure
from isocenter.core.volume import Instance, Source, Volume
from isocenter.io.boundary import require_finite, untrusted
from isocenter.io.dicom_facts import read_facts, read_unit
from isocenter.io.dicom_frames import Frame, read_frames
from isocenter.io.dicom_pixels import BrokenFilesError, Loaded, load_frames
from isocenter.io.dicom_scan import Header
from isocenter.io.dicom_stacks import Sorted, Stack, sort_frames


def build_series(
    headers: Sequence[Header], failures: list[InputFailure], *, dtype: np.dtype[Any] | None = None
) -> Iterator[Volume | Cine]:
    """The volumes and cines of one series, one at a time; what cannot be used is added to `failures`.

    A file that turns out broken when its pixels are decoded is named and left out, and the rest is sorted anew.
    """
    headers, n_duplicates = _drop_duplicates(headers, failures)
    frames = _frames_of(headers, failures)
    notes = (f"duplicate-files-ignored: {n_duplicates}",) if n_duplicates else ()
    while frames:
        result = sort_frames(frames)
        try:
            yield from _build_all(result, notes, dtype)
        except BrokenFilesError as error:
            for header, problem in error.problems.values():
                failures.append(InputFailure(header.file.label, problem))
            frames = [frame for frame in frames if id(frame.header) not in error.problems]
            notes = (*notes, f"broken-files-left-out: {len(error.problems)}")
            continue
        label = frames[0].header.file.label
        failures.extend(InputFailure(label, f"series of {len(headers)} files: {text}") for text in result.problems)
        return


def _build_all(result: Sorted, notes: tuple[str, ...], dtype: np.dtype[Any] | None) -> Iterator[Volume | Cine]:
    """Every stack as an image; all are decoded before the first is given out, so that a broken file spoils none."""
    n_parts = len(result.stacks)
    yield from [
        build_image(stack, notes=(*notes, f"series-part: {part} of {n_parts}") if n_parts > 1 else notes, dtype=dtype)
        for part, stack in enumerate(result.stacks, start=1)
    ]


def _frames_of(headers: Sequence[Header], failures: list[InputFailure]) -> list[Frame]:
    frames: list[Frame] = []
    for header in headers:
        try:
            with untrusted("a DICOM image"):
                frames += read_frames(header)
        except IsocenterError as error:
            failures.append(InputFailure(header.file.label, str(error)))
    return frames


def _drop_duplicates(headers: Sequence[Header], failures: list[InputFailure]) -> tuple[list[Header], int]:
    """Each SOP instance once: a byte-equal copy is ignored, one of other content is a failure."""
    kept: dict[str, Header] = {}
    n_same = 0
    for header in headers:
        key = header.text("SOPInstanceUID") or str(header.file.path)
        first = kept.setdefault(key, header)
        if first is header:
            continue
        if _digest(first.file.path) == _digest(header.file.path):
            n_same += 1
        else:
            failures.append(
                InputFailure(
                    header.file.label,
                    "expected one content per SOP instance, got another file of the same UID; only the first was read",
                )
            )
    return list(kept.values()), n_same


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def build_image(stack: Stack, *, notes: tuple[str, ...] = (), dtype: np.dtype[Any] | None = None) -> Volume | Cine:
    """One stack as a volume, or as a cine where it has several moments.

    Raises BrokenFilesError where a file cannot be decoded, LimitError where the whole is too large.
    """
    loaded = load_frames(stack.frames, dtype)
    if stack.frames[0][0].layout.floating:
        require_finite(loaded.array)
    grid = _grid_of(stack)
    facts = read_facts(stack, (*notes, *stack.notes))
    header = stack.frames[0][0].header
    source = _source_of(stack, loaded)
    unit, modality = read_unit(stack), header.text("Modality")
    if not stack.axis:
        return Volume(loaded.array[0], grid, unit, modality, facts, source)
    bvals, bvecs = _weightings(stack)
    return Cine(loaded.array, stack.times_s, grid, unit, modality, stack.axis, bvals, bvecs, facts=facts, source=source)


def _grid_of(stack: Stack) -> Grid:
    frame = stack.frames[0][0]
    shape = (len(stack.frames[0]), frame.rows, frame.columns)
    if stack.affine is not None:
        return Grid(shape, stack.affine, frame.spacing_source)
    grid = Grid.of_pixels(shape)
    if frame.spacing_mm is None:
        return grid
    affine = grid.affine.copy()
    affine[1, 1], affine[0, 2] = frame.spacing_mm
    return Grid(shape, affine, frame.spacing_source, position_known=False)


def _source_of(stack: Stack, loaded: Loaded) -> Source:
    header = stack.frames[0][0].header
    instances = tuple(
        Instance(
            frame.header.text("SOPClassUID"),
            frame.header.text("SOPInstanceUID"),
            frame.index + 1 if frame.layout.frames > 1 else None,
            frame.header.file.path,
        )
        for row in stack.frames
        for frame in row
    )
    labels = {frame.header.file.path: frame.header.file.label for row in stack.frames for frame in row}
    return Source(
        "dicom",
        header.text("StudyInstanceUID"),
        header.text("SeriesInstanceUID"),
        header.text("FrameOfReferenceUID"),
        instances,
        tuple(loaded.digests.values()),
        tuple(labels[path] for path in loaded.digests),
    )


def _weightings(stack: Stack) -> tuple[np.ndarray | None, np.ndarray | None]:
    """b-values, and directions in LPS, of each moment."""
    if stack.axis != "diffusion":
        return None, None
    weightings = [row[0].diffusion for row in stack.frames]
    if any(weighting is None for weighting in weightings):
        raise InputError("diffusion: expected a b-value for each volume, some have none; export the series again")
    bvals = np.array([weighting.b_value for weighting in weightings if weighting])
    bvecs = np.array([weighting.direction for weighting in weightings if weighting])
    return bvals, bvecs
