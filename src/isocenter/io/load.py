"""From input files to studies, one in memory at a time: the door that every reading goes through."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError, IsocenterError
from isocenter.core.study import InputFailure, Study
from isocenter.core.volume import Volume
from isocenter.io.boundary import line_of, require_finite, require_image, untrusted
from isocenter.io.inputs import InputFile, Inputs, open_inputs
from isocenter.io.suffixes import HEADER_SUFFIXES, suffix_of

# Kind by content -> "module:function" (path -> Volume | Cine), imported on first use.
READERS: Final = {
    "nifti": "isocenter.io.nifti:read_nifti",
    "nrrd": "isocenter.io.nrrd:read_nrrd",
    "raster": "isocenter.io.raster:read_raster",
    "npy": "isocenter.io.npy:read_npy",
    "video": "isocenter.io.video:read_video",
}
# DICOM files make studies together: (files, failures) -> Iterator[Study].
DICOM_READER: Final = "isocenter.io.dicom:read_dicom_studies"
_EXPECTED: Final = {
    "nifti": "a NIfTI file",
    "nrrd": "a NRRD file",
    "raster": "a picture",
    "npy": "an array",
    "video": "a film",
}


def load(path: Path | str) -> Volume | Cine | Study:
    """What lies at a path: the image where it is one and nothing failed, else a Study with all images and failures.

    path   a file, a folder or a zip of one study

    Raises FormatError with one line where nothing can be read, InputError where there are several DICOM studies.
    """
    with open_inputs([Path(path)]) as inputs:
        studies = list(iter_studies(inputs))
        failures = tuple(inputs.failures)
    images = tuple(image for study in studies for image in study.volumes)
    attachments = tuple(attachment for study in studies for attachment in study.attachments)
    uids = {study.uid for study in studies if study.uid}
    if not images and not attachments:
        first = (
            failures[0] if failures else InputFailure(Path(path), "expected an image, found none; name another path")
        )
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise FormatError(f"{first.path}: {first.problem}{more}")
    if len(uids) > 1:
        raise InputError(f"{path}: expected one study, got {len(uids)}; name one of their folders, or use iter_studies")
    if len(images) == 1 and not failures:
        return images[0]
    known = next((study for study in studies if study.uid), studies[0])
    return replace(known, volumes=images, attachments=attachments, failures=failures)


def iter_studies(inputs: Inputs) -> Iterator[Study]:
    """The studies of the inputs, in their order, each read when it is asked for.

    DICOM files are grouped by StudyInstanceUID and come where the first of them stands. Any other file is a study of
    its own; byte-equal ones share one, which names them all in `Source.paths`. What cannot be read is added to
    `inputs.failures` with one line, and the rest goes on.
    """
    dicom = [file for file in inputs.files if file.kind == "dicom"]
    dicom_is_due = bool(dicom)
    for group in _equal_files(inputs.files):
        if group[0].kind != "dicom":
            yield from _study_of(group, inputs.failures)
        elif dicom_is_due:
            dicom_is_due = False
            yield from _dicom_studies(dicom, inputs.failures)


def _study_of(group: tuple[InputFile, ...], failures: list[InputFailure]) -> Iterator[Study]:
    """The one study of byte-equal files, or none and a failure for each."""
    kind = group[0].kind
    read = _reader(READERS[kind])
    try:
        with untrusted(_EXPECTED[kind]):
            image: Volume | Cine = read(group[0].path)
            require_image(image.grid.shape)
            require_finite(image.array)
    except (IsocenterError, OSError) as error:
        failures.extend(InputFailure(file.label, line_of(error)) for file in group)
        return
    labels = tuple(file.label for file in group)
    image = replace(image, source=replace(image.source, paths=labels))
    study = [Study(volumes=(image,))]
    del image
    yield study.pop()  # nothing here holds the study while its reader works


def _dicom_studies(files: list[InputFile], failures: list[InputFailure]) -> Iterator[Study]:
    """The DICOM studies, their images named as the caller knows them; a reader that gives up becomes a failure."""
    labels = {file.path: file.label for file in files}
    studies = iter(_reader(DICOM_READER)(files, failures))
    while True:
        try:
            with untrusted("DICOM files"):
                study = [found] if (found := next(studies, None)) else []
        except (IsocenterError, OSError) as error:
            failures.append(InputFailure(files[0].label, line_of(error)))
            return
        found = None
        if not study:
            return
        study[0] = _named_images(study[0], labels, failures)
        if study[0].volumes or study[0].attachments:
            yield study.pop()


def _named_images(study: Study, labels: dict[Path, Path], failures: list[InputFailure]) -> Study:
    """The study whose images carry the labels of their files, without what is too small to be an image."""
    kept: list[Volume | Cine] = []
    problems: list[InputFailure] = []
    for image in study.volumes:
        files = dict.fromkeys(instance.path for instance in image.source.instances)
        paths = tuple(labels[path] for path in files if path in labels) or image.source.paths
        try:
            require_image(image.grid.shape)
            kept.append(replace(image, source=replace(image.source, paths=paths)))
        except FormatError as error:
            problems.extend(InputFailure(path, str(error)) for path in paths)
    failures.extend(problems)
    return replace(study, volumes=tuple(kept), failures=(*study.failures, *problems))


def _equal_files(files: Iterable[InputFile]) -> Iterator[tuple[InputFile, ...]]:
    """The files in order, byte-equal ones together; only files of one size are hashed, headers of other files never."""
    known = list(files)
    sizes = {file.path: _size_of(file.path) for file in known}
    counts = Counter((file.kind, sizes[file.path]) for file in known)
    groups: dict[object, list[InputFile]] = {}
    for file in known:
        stands_alone = file.kind == "dicom" or suffix_of(file.path) in HEADER_SUFFIXES
        key: object = file.label
        if not stands_alone and counts[file.kind, sizes[file.path]] > 1:
            key = (file.kind, _digest_of(file.path) or file.label)
        groups.setdefault(key, []).append(file)
    return (tuple(group) for group in groups.values())


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest_of(path: Path) -> str:
    """SHA-256 of a file; "" where it cannot be read, which its reader will tell."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _reader(name: str) -> Callable[..., Any]:
    """The function behind "module:function"."""
    module, _, function = name.partition(":")
    reader: Callable[..., Any] = getattr(import_module(module), function)
    return reader
