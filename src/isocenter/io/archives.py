"""Zip archives, unpacked inside the limits under names of our own."""

import hashlib
import stat
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.boundary import untrusted
from isocenter.io.limits import LIMITS, Limits
from isocenter.io.suffixes import DETACHED_SUFFIXES, IMAGE_SUFFIXES, suffix_of

_CHUNK: Final = 1024**2
_DIRECTORY_BYTES: Final = 64 * 1024**2
_KEPT_SUFFIXES: Final = IMAGE_SUFFIXES | DETACHED_SUFFIXES


def temporary_name(name: str) -> str:
    """The name that a file of an archive gets on disk: a hash, with the suffix where it is one of ours.

    Files that belong together (`.hdr` and `.img`, `.mhd` and `.raw`) keep one stem.
    """
    suffix = suffix_of(PurePosixPath(name))
    suffix = suffix if suffix in _KEPT_SUFFIXES else ""
    stem = name[: len(name) - len(suffix)]
    return hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:32] + suffix


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a zip held.

    files      (where it lies now, its name in the archive), in the order of the names
    problems   (name in the archive, one line); "" names the archive as a whole
    """

    files: tuple[tuple[Path, str], ...]
    problems: tuple[tuple[str, str], ...]


def unpack_zip(path: Path, folder: Path, *, limits: Limits = LIMITS) -> Unpacked:
    """Unpack a zip into `folder`, which the caller owns; entries that are tricks or damaged are left out and told.

    Raises FormatError for a damaged archive, LimitError for a bomb; what was unpacked until then stays in `folder`.
    """
    with untrusted("a zip archive"), path.open("rb") as stream:
        _check_directory(stream, limits)
        with zipfile.ZipFile(stream) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > limits.archive_members:
                raise _too_many(limits)
            tricks = [member for member in members if not _is_plain(member)]
            locked = [member for member in members if member.flag_bits & 1 and member not in tricks]
            refused = {id(member) for member in (*tricks, *locked)}
            wanted = [member for member in members if id(member) not in refused]
            files, problems = _unpack_members(archive, wanted, folder, limits)
    if tricks:
        problems.append(
            (
                "",
                f"expected plain files inside the folder, {len(tricks)} of {len(members)} entries are absolute paths, "
                "climb out with '..' or are links; they were left out",
            )
        )
    if locked:
        problems.append(
            (
                "",
                f"expected open files, {len(locked)} of {len(members)} entries ask for a password; "
                "unpack it and name the folder",
            )
        )
    return Unpacked(tuple(files), tuple(problems))


def _unpack_members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, limits: Limits
) -> tuple[list[tuple[Path, str]], list[tuple[str, str]]]:
    """Write the members under names of our own, in the order of their names; a damaged one is told and left out."""
    files: list[tuple[Path, str]] = []
    problems: list[tuple[str, str]] = []
    room = limits.archive_bytes
    for number, member in enumerate(sorted(members, key=lambda m: PurePosixPath(m.filename).parts)):
        inner = PurePosixPath(member.filename)
        parent = folder / hashlib.sha256(str(inner.parent).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        target = parent / temporary_name(inner.name)
        if target.exists():  # one name twice
            target = parent / str(number) / target.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with untrusted("a sound entry of an archive"):
                room -= _unpack_one(archive, member, target, limits=limits, room=room)
            files.append((target, str(inner)))
        except FormatError as error:
            room -= target.stat().st_size if target.exists() else 0
            target.unlink(missing_ok=True)
            problems.append((str(inner), str(error)))
    return files, problems


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, *, limits: Limits, room: int) -> int:
    """Copy one member, counting; the size that the archive states is not believed."""
    n_out = 0
    ceiling = min(
        room, limits.inflate_bytes, max(limits.ratio_floor, limits.inflate_ratio * max(member.compress_size, 1))
    )
    if member.compress_type == zipfile.ZIP_STORED:
        ceiling = min(room, limits.file_bytes)
    with archive.open(member) as source, target.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            n_out += len(chunk)
            if n_out > ceiling:
                raise LimitError(
                    f"expected an archive that grows at most {limits.inflate_ratio}-fold and to "
                    f"{limits.archive_bytes // 1024**3} GiB, got more; it looks like a zip bomb, nothing of it was read"
                )
            sink.write(chunk)
    return n_out


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """A relative path of printable characters that stays inside, and no link or device."""
    name = member.orig_filename
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return False
    if not name.isprintable() or name.startswith(("/", "\\")) or name[1:2] == ":":
        return False
    return ".." not in name.replace("\\", "/").split("/")


def _too_many(limits: Limits) -> LimitError:
    return LimitError(
        f"expected an archive of at most {limits.archive_members} entries, got more; unpack it and name the folder"
    )


def _check_directory(stream: BinaryIO, limits: Limits) -> None:
    """Count the entries before `zipfile` makes an object of each (APPNOTE.TXT 4.3.12, 4.3.14, 4.3.16)."""
    size = stream.seek(0, 2)
    reach = min(size, 65_557 + 76)
    stream.seek(size - reach)
    tail = stream.read(reach)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise FormatError("expected a zip archive, its directory is missing: it is cut short; copy it again")
    directory_bytes = struct.unpack("<I", tail[end + 12 : end + 16])[0]
    stop = size - reach + end
    big = tail.rfind(b"PK\x06\x06", 0, end)
    if directory_bytes == 0xFFFFFFFF and big >= 0:
        directory_bytes = struct.unpack("<Q", tail[big + 40 : big + 48])[0]
        stop = size - reach + big
    if directory_bytes > min(_DIRECTORY_BYTES, stop):
        raise FormatError(
            "expected a zip archive, its directory is damaged or too large; unpack it and name the folder"
        )
    stream.seek(stop - directory_bytes)
    if stream.read(directory_bytes).count(b"PK\x01\x02") > limits.archive_members:
        raise _too_many(limits)
    stream.seek(0)
