"""`isocenter reconstruct`: an image from what a scanner measured."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.words import split_words


def reconstruct(
    words: Annotated[list[str], typer.Argument(metavar="METHOD IN [--option VALUE …]", help="See below.")],
    out: Annotated[Path | None, typer.Option(help="The image: .npy, .nii.gz, .nrrd, .mha or .png. Required.")] = None,
    config: Annotated[Path | None, typer.Option(help="Options from a TOML file.", metavar="FILE.toml")] = None,
) -> None:
    """Reconstruct an image with METHOD from IN, an .npz with a sinogram or k-space.

    \b
    fbp gridding                              CT: at once
    sirt sart cgls tv wavelet                 CT: step by step; few or noisy views
    mlem osem                                 PET: counts
    zero-filled cg-sense grappa cs            MRI: undersampled k-space

    The method's options follow as --name value; without any, they come from the data. `isocenter reconstruct list`
    names them all.
    """
    from isocenter.app.parameters import read_options
    from isocenter.app.reconstruct_files import describe_methods, reconstruct_file
    from isocenter.core.errors import InputError

    places, options = split_words(words)
    if places == ["list"]:
        print("\n".join(describe_methods()))
        return
    if out is None:
        raise InputError("reconstruct: expected --out FILE, got none; name the image to write")
    if len(places) != 2:
        raise InputError(f"reconstruct: expected METHOD IN, got {' '.join(places)}; see isocenter reconstruct --help")
    volume = reconstruct_file(places[0], Path(places[1]), out, read_options(options, config))
    rows, columns = volume.array.shape[1:]
    print(f"{out}: {rows} x {columns} pixels by {places[0]}")
