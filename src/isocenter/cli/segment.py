"""`isocenter segment`: one image in, labels out."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.words import split_words


def segment(
    words: Annotated[list[str], typer.Argument(metavar="METHOD IN OUT [--option VALUE …]", help="See below.")],
    config: Annotated[Path | None, typer.Option(help="Options from a TOML file.", metavar="FILE.toml")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print voxels per label as JSON.")] = False,
) -> None:
    """Segment one image on its own grid: 0/1 or labels 1 … n; OUT's suffix says the format (PNG: 0/255).

    \b
    threshold otsu multi-otsu adaptive   by intensity: --low --high, --classes N
    region-growing                       from clicks: --seed I,J,K (column, row, slice), more than once
    watershed random-walker graph-cut    from clicks, or from what is surely bright and surely dark
    edge                                 edges, one voxel thick
    active-contour level-set             a smooth border
    texture kmeans gmm slic              by texture, or without a teacher: --classes N
    pet-41 pet-fixed pet-gradient        uptake in PET

    `isocenter segment list` names each method's options with their defaults.
    """
    from isocenter.app.parameters import read_options
    from isocenter.app.segment_files import describe_methods, segment_file
    from isocenter.core.errors import InputError

    places, options = split_words(words)
    if places == ["list"]:
        print("\n".join(describe_methods()))
        return
    if len(places) != 3:
        raise InputError(f"segment: expected METHOD IN OUT, got {' '.join(places)}; see isocenter segment --help")
    done = segment_file(places[0], Path(places[1]), Path(places[2]), read_options(options, config))
    for note in done.notes:
        print(f"isocenter: {note}", file=sys.stderr)
    if as_json:
        counts = {str(label): int((done.labels.array == label).sum()) for label in done.labels.labels}
        print(json.dumps({"method": places[0], "out": places[2], "voxels": counts}, indent=2))
