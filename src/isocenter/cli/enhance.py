"""`isocenter enhance`: one image made better to look at, or to compute with."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.words import split_words


def enhance(
    words: Annotated[list[str], typer.Argument(metavar="OP IN OUT [--option VALUE …]", help="See below.")],
    config: Annotated[Path | None, typer.Option(help="Options from a TOML file.", metavar="FILE.toml")] = None,
) -> None:
    """Enhance one image on its own grid; OUT's suffix says the format.

    \b
    window gamma equalize clahe                 brightness and contrast
    mean gaussian median                        smoothing
    bilateral nlm anisotropic tv wavelet bm3d   denoising; the noise is estimated from the image
    unsharp laplacian                           sharpening
    bias-field gibbs ring                       artefacts of MR and CT
    upsample                                    a finer grid
    inpaint                                     what a --mask covers, or damaged slices
    erode dilate open close                     morphology in mm
    grey filter                                 one channel; IBSI-2 filters (--config)

    `isocenter enhance list` names each operation's options with their defaults.
    """
    from isocenter.app.enhance_files import describe_operations, enhance_file
    from isocenter.app.parameters import read_options
    from isocenter.core.errors import InputError

    places, options = split_words(words)
    if places == ["list"]:
        print("\n".join(describe_operations()))
        return
    if len(places) != 3:
        raise InputError(f"enhance: expected OP IN OUT, got {' '.join(places)}; see isocenter enhance --help")
    made = enhance_file(places[0], Path(places[1]), Path(places[2]), read_options(options, config))
    for note in made.facts.notes:
        if note.startswith("slice-interpolated"):
            print(note)
