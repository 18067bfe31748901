"""`isocenter features`: the radiomic features of a region as a table."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def features(
    image: Annotated[Path, typer.Argument(help="The image: a file, or a DICOM folder.")],
    mask: Annotated[Path, typer.Argument(help="The region on the image: labels, DICOM SEG, RTSTRUCT.")],
    config: Annotated[str, typer.Option(help="ibsi-digital, ibsi-a … -e, classic, ibsi2-1.A … -11.B, or a FILE.toml.")],
    out: Annotated[Path, typer.Option(help="The table to write: FILE.csv.", dir_okay=False)],
    section: Annotated[str | None, typer.Option(help="Which configuration of a FILE.toml with several.")] = None,
    label: Annotated[str | None, typer.Option(help="Which label of the mask, or all as one region.")] = None,
    roi: Annotated[list[str] | None, typer.Option(help="Region of a DICOM mask, by name or number.")] = None,
    pixel_size_mm: Annotated[float | None, typer.Option(help="For a picture that states no pixel size.")] = None,
    sr: Annotated[Path | None, typer.Option(help="Also write a DICOM SR, where the image is DICOM.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the features as JSON.")] = False,
) -> None:
    """Compute the radiomic features of MASK on IMAGE as IBSI defines them, and write one row each."""
    from isocenter.app.feature_files import find_config, open_region, require_dicom, write_sr, write_table
    from isocenter.app.image_files import require_place
    from isocenter.imaging.features.radiomics import NOT_COMPUTED, extract_features

    for written in (out, sr):
        if written is not None:
            require_place(written)
    settings = find_config(config, section=section)
    volume, region = open_region(image, mask, label=label, pixel_size_mm=pixel_size_mm, roi=roi or ())
    if sr is not None:
        require_dicom(volume)
    found = extract_features(volume, region, settings)
    write_table(found, out)
    if sr is not None:
        stem = config.removesuffix(".toml") if section is None else section
        how = {"config": Path(stem).name} | ({"filter": settings.filter.summary} if settings.filter else {})
        write_sr(found, volume, region, out=sr, parameters=how)
    if as_json:
        print(json.dumps([asdict(feature) for feature in found], indent=2))
    missing = [feature.tag for feature in found if feature.value is None and feature.tag not in NOT_COMPUTED]
    if missing:
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        count = f"{len(missing)} features have" if len(missing) > 1 else "1 feature has"
        print(f"isocenter: note: {count} no value for this region: {shown}", file=sys.stderr)
