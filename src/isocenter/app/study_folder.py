"""One study's folder, written whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into the folder, which is replaced by rename if it is there.

    files   relative name ("figures/F1-overlay.png") -> content

    Nothing half-written remains: the files are made in a hidden folder beside it, synced, and renamed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made.chmod(0o755)
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for inner in {path.parent for path in made.rglob("*")} | {made}:
            _sync_folder(inner)
        _swap(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _swap(made: Path, folder: Path) -> None:
    """Put the new folder in the old one's place; the old one survives until the new one stands."""
    if not folder.exists():
        made.rename(folder)
    else:
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        folder.rename(old / "old")
        try:
            made.rename(folder)
        except OSError:
            (old / "old").rename(folder)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
