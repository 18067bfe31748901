"""What the caller named, as readable files: folders walked, archives unpacked, each file's kind by content."""

import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from isocenter.core.errors import IsocenterError
from isocenter.core.study import InputFailure
from isocenter.io.archives import unpack_zip
from isocenter.io.boundary import line_of
from isocenter.io.limits import check_file_size
from isocenter.io.sniff import KINDS, Kind, sniff_content
from isocenter.io.suffixes import DETACHED_SUFFIXES, HEADER_SUFFIXES, IMAGE_SUFFIXES, is_companion, is_hidden, suffix_of

_READ: Final = "expected DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF, BMP, NPY, AVI or MP4"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One readable file.

    path    where it can be read now (inside a temporary folder for a member of an archive)
    label   how the caller knows it: as given or found, "a.zip/inner.dcm" inside an archive
    """

    path: Path
    label: Path
    kind: Kind


@dataclass(slots=True)
class Inputs:
    """What `open_inputs` found. `failures` grows while the files are read; `ignored` are ordinary companions."""

    files: tuple[InputFile, ...] = ()
    failures: list[InputFailure] = field(default_factory=list)
    ignored: tuple[Path, ...] = ()


@contextmanager
def open_inputs(paths: Sequence[Path]) -> Iterator[Inputs]:
    """The readable files under `paths`, in the order given, folders sorted by path.

    What is no image is a failure where it was named, where its suffix claims an image, or where nothing else explains
    it; tables, texts and other ordinary companions of a folder are ignored. Archives live unpacked until the context
    ends, whatever ends it.
    """
    with tempfile.TemporaryDirectory(prefix="isocenter-", ignore_cleanup_errors=True) as scratch:
        search = _Search(Path(scratch))
        for path in paths:
            search.take(Path(path))
        yield search.inputs()


class _Search:
    """The walk: what was found so far, and where archives are unpacked."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.files: dict[Path, InputFile] = {}
        self.failures: list[InputFailure] = []
        self.ignored: list[Path] = []
        self.detached: list[tuple[Path, Path]] = []
        self.archives = 0

    def inputs(self) -> Inputs:
        """The result, once every path was taken."""
        folders = {file.path.parent for file in self.files.values() if suffix_of(file.path) in HEADER_SUFFIXES}
        for path, label in self.detached:
            if path.parent not in folders:
                self._settle_detached(path, label)
        return Inputs(tuple(self.files.values()), self.failures, tuple(self.ignored))

    def fail(self, label: Path, problem: str) -> None:
        """Note one line about one input."""
        self.failures.append(InputFailure(label, problem))

    def take(self, path: Path) -> None:
        """One path that the caller named."""
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self.fail(path, line_of(error))
            return
        if stat.S_ISDIR(mode):
            before = len(self.files) + len(self.failures)
            self.walk(path)
            if len(self.files) + len(self.failures) + len(self.detached) == before:
                self.fail(path, f"{_READ}, the folder holds none; name another folder")
        elif stat.S_ISREG(mode):
            self.take_file(path, path, named=True)
        else:
            self.fail(path, "expected a file or a folder, got a device, a pipe or a socket; name a file")

    def walk(self, folder: Path) -> None:
        """Every file below, sorted by path; a folder that was already seen (a loop of links) is not entered again."""
        seen: set[tuple[int, int]] = set()
        pending = [folder]
        while pending:
            path = pending.pop()
            try:
                status = path.stat()
                if stat.S_ISDIR(status.st_mode):
                    place = (status.st_dev, status.st_ino)
                    if place in seen:
                        self.fail(
                            path, "expected a tree of folders, got a link back to a folder already read; left out"
                        )
                        continue
                    seen.add(place)
                    entries = sorted(path.iterdir(), reverse=True)
                    pending.extend(entry for entry in entries if not is_hidden(entry.name))
                elif stat.S_ISREG(status.st_mode):
                    self.take_file(path, path)
                else:
                    self.fail(path, "expected a file or a folder, got a device, a pipe or a socket; left out")
            except OSError as error:
                self.fail(path, line_of(error))

    def take_file(self, path: Path, label: Path, *, named: bool = False, inside_archive: bool = False) -> None:
        """One regular file: readable, an archive, a companion, or a failure."""
        try:
            content, name = sniff_content(path)
            if content != "empty":
                check_file_size(path.stat().st_size)
        except (IsocenterError, OSError) as error:
            self.fail(label, line_of(error))
            return
        companion = not named and is_companion(label)
        if content == "zip" and not companion:
            if inside_archive:
                self.fail(label, "expected images, got an archive inside an archive; unpack it first")
            else:
                self.take_archive(path, label)
        elif content == "dicomdir":
            if named:
                self.fail(label, "expected an image, got a DICOMDIR, which only lists images; name its folder")
        elif kind := KINDS.get(content):
            self.files.setdefault(label, InputFile(path, label, kind))
        else:
            self._take_other(path, label, content, name, named=named)

    def _take_other(self, path: Path, label: Path, content: str, name: str, *, named: bool) -> None:
        """A file that is no image by its content."""
        suffix = suffix_of(label)
        is_archive = suffix == ".gz" and not label.name.lower().endswith(".raw.gz")
        if suffix in DETACHED_SUFFIXES and content != "empty" and not is_archive:
            self.detached.append((path, label))
        elif not named and (is_companion(label) or (content == "text" and suffix not in IMAGE_SUFFIXES)):
            self.ignored.append(label)
        else:
            self.fail(label, f"{_READ}, got {name or 'an archive'}; export the image again or leave it out")

    def _settle_detached(self, path: Path, label: Path) -> None:
        """Pixels whose header was not met on the way: it lies beside them, or they are nobody's."""
        header = next((h for s in HEADER_SUFFIXES if (h := path.with_suffix(s)).is_file()), None)
        content = sniff_content(header)[0] if header else "foreign"
        if header and content in ("nifti", "nrrd"):
            kind: Kind = "nifti" if content == "nifti" else "nrrd"
            self.files.setdefault(label, InputFile(header, label, kind))
        else:
            self.fail(label, "expected a header beside these raw pixels (.hdr, .mhd, .nhdr), found none; add it")

    def take_archive(self, path: Path, label: Path) -> None:
        """Unpack a zip into a folder of its own and take each member."""
        self.archives += 1
        folder = self.scratch / str(self.archives)
        folder.mkdir()
        try:
            unpacked = unpack_zip(path, folder)
        except (IsocenterError, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            self.fail(label, line_of(error))
            return
        for name, problem in unpacked.problems:
            self.fail(label / name, problem)
        before = len(self.files) + len(self.failures) + len(self.detached)
        for member, name in unpacked.files:
            if not any(is_hidden(part) for part in Path(name).parts):
                self.take_file(member, label / name, inside_archive=True)
        if not unpacked.problems and len(self.files) + len(self.failures) + len(self.detached) == before:
            self.fail(label, f"{_READ}, the archive holds none; name another")
