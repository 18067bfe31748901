"""Files that are either whole or not there."""

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Write the file so that a crash leaves the old one or the new one, never a part.

    Temporary file in the same folder, fsync, rename, fsync of the folder; the folder must exist. The temporary file is
    removed where anything fails (a full disk).
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        # The caller knows the file, not our temporary one beside it.
        raise OSError(error.errno, error.strerror, str(path)) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a system that cannot open folders (Windows) has no such call."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    """The process's file mode mask; the system only tells it by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
