"""`isocenter measure`: size, values and clinical measurements of masks and marked places."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def measure(
    image: Annotated[Path, typer.Argument(help="Picture, array, NIfTI, NRRD, MHA, DICOM file or folder.")],
    out: Annotated[Path, typer.Option(help="The table: one row per measurement and label.", dir_okay=False)],
    mask: Annotated[Path | None, typer.Argument(help="Labels 1…n, DICOM SEG or RTSTRUCT; of any grid.")] = None,
    landmarks: Annotated[Path | None, typer.Option(help="CSV of marked places.", dir_okay=False)] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Also: abc2, calcium, distance=A,B, cardiothoracic=HEART,THORAX, evans=HORNS,SKULL, "
            "midline=MIDDLE,SKULL, cobb=UPPER,LOWER (labels).",
        ),
    ] = None,
    roi: Annotated[
        list[str] | None, typer.Option(help="Only this region of the mask, by name or number; more than once.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the values where the file does not say: HU, SUVbw.")] = None,
    pixel_size_mm: Annotated[float | None, typer.Option(help="For a picture without one.", min=1e-6)] = None,
    calcium_factor: Annotated[float | None, typer.Option(help="mg per ml and HU, for the calcium mass.")] = None,
    split: Annotated[bool, typer.Option("--split", help="Each connected piece of a label on its own.")] = False,
    as_stored: Annotated[
        bool, typer.Option("--as-stored", help="PET values as the file has them, not as SUV.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Measure each label of MASK on IMAGE; PET from DICOM is converted to SUV by its header."""
    from isocenter.app.image_files import require_place
    from isocenter.app.measure_files import COLUMNS, MeasureOptions, measure_files, write_measurements

    require_place(out)
    options = MeasureOptions(
        tuple(extra or ()), as_stored, unit, pixel_size_mm, split, calcium_factor, tuple(roi or ())
    )
    found = measure_files(image, mask, landmarks=landmarks, options=options)
    write_measurements(found.rows, out)
    for note in found.notes:
        print(f"isocenter: note: {note}", file=sys.stderr)
    if as_json:
        printed = [(label, m.name, m.value, m.unit, m.method, m.uncertainty) for label, m in found.rows]
        print(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in printed], indent=2))
        return
    print(f"{len(found.rows)} row(s) in {out}")
    named = [region for region in found.regions if " " in region]
    if named:
        print(f"labels: {', '.join(named)}")
