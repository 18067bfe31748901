"""`isocenter reconstruct`: an image from what a scanner measured."""

from pathlib import Path
from typing import Annotated

import typer

# What registration needs: options belong to the method, not to the command.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}


def reconstruct(
    context: typer.Context,
    method: Annotated[
        str,
        typer.Argument(
            help="fbp gridding sirt sart cgls mlem osem tv wavelet (CT, PET) zero-filled cg-sense grappa cs (MRI)."
        ),
    ],
    source: Annotated[Path, typer.Argument(metavar="IN", help="An .npz with a sinogram or k-space.")],
    out: Annotated[Path, typer.Option(help="The image: .npy, .nii.gz, .nrrd, .mha or .png.")],
    config: Annotated[Path | None, typer.Option(help="A TOML file with the method's options.")] = None,
) -> None:
    """Reconstruct an image with METHOD; its options follow as --name value. Without any, they come from the data."""
    from isocenter.app.parameters import read_options
    from isocenter.app.reconstruct_files import reconstruct_file

    volume = reconstruct_file(method, source, out, read_options(context.args, config))
    rows, columns = volume.array.shape[1:]
    print(f"{out}: {rows} x {columns} pixels by {method}")
