"""`isocenter convert`: every series as one volume."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from isocenter.cli.exits import batch_code, tell_failures
from isocenter.cli.progress import progress


class Format(StrEnum):
    """Formats that volumes are written in."""

    nifti = "nifti"
    nrrd = "nrrd"


def convert(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, folders or zips, or other volumes.")],
    out: Annotated[Path, typer.Option(help="Folder for the volumes.", file_okay=False)],
    to: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.nifti,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Write every series under PATHS as one volume with a JSON sidecar; diffusion gets .bval and .bvec."""
    from isocenter.app.convert_files import convert_paths

    wanted: Literal["nifti", "nrrd"] = "nifti" if to is Format.nifti else "nrrd"
    with progress("converting") as step:

        def on_written(path: Path) -> None:
            step()
            if not as_json:
                print(path)

        written, failures = convert_paths(paths, out, wanted, on_written=on_written)
    if as_json:
        print(json.dumps([str(path) for path in written], indent=2))
    tell_failures(failures)
    sys.exit(batch_code(len(written), failures))
