"""`isocenter convert`: every series as one volume."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.exits import batch_code, tell_failures


class Format(StrEnum):
    """Formats that volumes are written in."""

    nifti = "nifti"
    nrrd = "nrrd"


def convert(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, folders or zips, or other volumes.")],
    out: Annotated[Path, typer.Option(help="Folder for the volumes.", file_okay=False)],
    to: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.nifti,
) -> None:
    """Write every series under PATHS as one volume with a JSON sidecar; diffusion gets .bval and .bvec."""
    from isocenter.app.convert_files import convert_paths

    written, failures = convert_paths(paths, out, "nifti" if to is Format.nifti else "nrrd", on_written=print)
    tell_failures(failures)
    sys.exit(batch_code(len(written), failures))
