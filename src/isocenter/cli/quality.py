"""`isocenter quality`: how good images are, one row each."""

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.exits import CHECK_FAILED, batch_code, tell_failures
from isocenter.cli.progress import progress


class PhantomKind(StrEnum):
    """What a phantom image shows."""

    uniform = "uniform"
    edge = "edge"
    point = "point"


def quality(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, volumes, DICOM files, folders or zips.")],
    out: Annotated[Path, typer.Option(help="The table: one row per image.", dir_okay=False)],
    reference: Annotated[Path | None, typer.Option(help="An image to compare with: MSE, PSNR, SSIM.")] = None,
    phantom: Annotated[PhantomKind | None, typer.Option(help="Noise power, or transfer function.")] = None,
    pixel_size_mm: Annotated[float | None, typer.Option(help="Of a phantom's picture without one.", min=1e-6)] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 5 where an image fails a check.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Noise, SNR, CNR, ghosting, cut-off and the checks of every image under PATHS."""
    from isocenter.app.image_files import require_place
    from isocenter.app.quality_files import measure_quality, write_quality

    require_place(out)
    with progress("measuring") as step:
        rows, failures = measure_quality(
            paths, reference=reference, phantom=phantom.value if phantom else None, pixel_size_mm=pixel_size_mm,
            on_image=step,
        )  # fmt: skip
    tell_failures(failures)
    if rows:
        write_quality(rows, out)
    if as_json:
        # JSON has no infinity, which is the PSNR of equal images.
        shown = [{name: None if value == math.inf else value for name, value in row.items()} for row in rows]
        print(json.dumps(shown, indent=2))
    elif rows:
        print(f"{len(rows)} row(s) in {out}")
    code = batch_code(len(rows), failures)
    n_refused = sum(row["passed"] == "no" for row in rows) if gate else 0
    if n_refused:
        print(
            f"isocenter: quality: expected all checks to pass, {n_refused} of {len(rows)} fail; see {out}",
            file=sys.stderr,
        )
    sys.exit(code or (CHECK_FAILED if n_refused else 0))
