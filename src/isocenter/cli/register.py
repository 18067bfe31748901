"""`isocenter register`: one image brought onto another."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.exits import CHECK_FAILED, DONE


class Transform(StrEnum):
    """What the moving image may do."""

    rigid = "rigid"
    similarity = "similarity"
    affine = "affine"
    deformable = "deformable"


class Measure(StrEnum):
    """What is maximised."""

    auto = "auto"
    correlation = "correlation"
    information = "information"


def register(
    fixed: Annotated[Path, typer.Argument(help="The image that stays: picture, NIfTI, NRRD, MHA, DICOM folder.")],
    moving: Annotated[Path, typer.Argument(help="The image that is brought onto it.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.", file_okay=False)],
    transform: Annotated[Transform, typer.Option(help="How the moving image may move.")] = Transform.affine,
    measure: Annotated[
        Measure, typer.Option(help="correlation for one modality, information for two; auto decides.")
    ] = Measure.auto,
    knots_mm: Annotated[
        float | None, typer.Option(help="For deformable: B-splines with knots so far apart, not the free field.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    """Bring MOVING onto FIXED: moved image, transform, metrics and a checkerboard; exit 5 where they do not match."""
    from isocenter.app.register_files import register_files

    outcome = register_files(fixed, moving, out, transform=transform.value, measure=measure.value, knots_mm=knots_mm)
    if as_json:
        print(json.dumps(outcome.metrics, indent=2))
    elif outcome.converged:
        found = outcome.metrics
        print(f"{out}: agreement {found['agreement']:.2f}, correlation {found['similarity']:.4f}")
    if not outcome.converged:
        print(
            f"isocenter: registration: expected two images of one thing, got others: {outcome.problem}; only "
            "metrics.json is written, check the images",
            file=sys.stderr,
        )
    sys.exit(DONE if outcome.converged else CHECK_FAILED)
