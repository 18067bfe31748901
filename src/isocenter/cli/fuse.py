"""`isocenter fuse`: two images of one place as one."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def fuse(
    first: Annotated[Path, typer.Argument(help="The image whose grid is used (CT, MR): any volume or picture.")],
    second: Annotated[Path, typer.Argument(help="The image that is laid over it (PET, another sequence).")],
    out: Annotated[Path, typer.Option(help="Folder for the results.", file_okay=False)],
    mask: Annotated[Path | None, typer.Option(help="Labels on the first image: one row each in features.csv.")] = None,
    roi: Annotated[list[str] | None, typer.Option(help="Region of a DICOM mask, by name or number.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    """Lay SECOND over FIRST by their places in the patient: volumes, pictures and a table."""
    from isocenter.app.fuse_files import fuse_files

    metrics = fuse_files(first, second, out, labels_path=mask, roi=roi or ())
    warnings = metrics["warnings"]
    for line in warnings if isinstance(warnings, list) else ():
        print(f"isocenter: warning: {line}", file=sys.stderr)
    if as_json:
        print(json.dumps(metrics, indent=2))
    else:
        print(f"{out}: {metrics['covered_share']:.0%} of the first image is covered")
