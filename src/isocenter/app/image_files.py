"""One image in, one image out: what the imaging tools of the command line read and write."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.app.region_files import choose_regions, read_drawn_regions
from isocenter.core.cine import Cine
from isocenter.core.errors import GeometryError, InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.mask import LabelMap, Regions
from isocenter.core.volume import Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.load import load
from isocenter.io.metaimage import write_metaimage
from isocenter.io.nifti import write_nifti
from isocenter.io.npy import pack_npy
from isocenter.io.nrrd import write_nrrd
from isocenter.io.raster import write_png
from isocenter.io.suffixes import suffix_of

# Labels in a float file may be off by what an earlier program's scaling left.
_WHOLE: Final = 1e-2


def open_image(path: Path) -> Volume:
    """The one volume that lies at a path: a picture, an array, NIfTI, NRRD, MetaImage, DICOM file, folder or zip.

    Raises UnreadableError where nothing can be read, InputError where there are several volumes, a film, or files that
    could not be read beside the volume.
    """
    path = Path(path)
    if not path.exists():
        raise UnreadableError(f"{path}: expected an image, found nothing there; check the path")
    try:
        found = load(path)
    except InputError as error:
        text = str(error)
        raise UnreadableError(text if text.startswith(str(path)) else f"{path}: {text}") from error
    if isinstance(found, Volume):
        return found
    if isinstance(found, Cine):
        raise InputError(f"{path}: expected one volume, got {len(found.array)} over {found.axis}; give one of them")
    if found.failures:
        first = found.failures[0]
        raise InputError(f"{path}: expected files of one volume, {first.path.name} is not: {first.problem}")
    raise InputError(
        f"{path}: expected one volume, got {len(found.volumes)}; name one, or use isocenter convert (where slices are "
        "missing, isocenter enhance inpaint fills them)"
    )


def with_pixel_size(volume: Volume, pixel_size_mm: float | None) -> Volume:
    """The image with the pixel size that the user vouches for; as it is where none was given.

    Raises InputError for an image that states its own.
    """
    if pixel_size_mm is None:
        return volume
    if volume.grid.spacing_known:
        raise InputError("--pixel-size-mm: expected an image without one, the file states its own; leave it out")
    return replace(volume, grid=volume.grid.with_spacing(pixel_size_mm, pixel_size_mm))


def open_labels(path: Path, like: Volume | None = None, *, roi: Sequence[str] = ()) -> LabelMap:
    """The same as `open_regions` in one map of labels. Raises InputError where two regions share voxels, too."""
    return open_regions(path, like, roi=roi).to_labels()


def open_regions(path: Path, like: Volume | None = None, *, roi: Sequence[str] = ()) -> Regions:
    """The regions that lie at a path: a DICOM Segmentation, an RT Structure Set, or an image of whole numbers.

    like   the image that they belong to: labels of its shape whose file states no place take its grid, segments and
           contours the grid on which they were drawn
    roi    names or numbers of those that are wanted; all where there are none

    A picture of 0 and 255 holds label 1. Raises what `open_image` and `read_drawn_regions` raise; InputError for
    colours, fractions or negative numbers, or a region that is not there.
    """
    path = Path(path)
    drawn = read_drawn_regions(path, like) if path.exists() else None
    if drawn is None:
        labels = _labels_of(path, like)
        drawn = Regions((labels.array,), labels.grid)
    else:
        drawn = replace(drawn, grid=_grid_like(drawn.grid, like))
    return choose_regions(drawn, roi)


def _labels_of(path: Path, like: Volume | None) -> LabelMap:
    """An image of whole numbers as labels."""
    volume = open_image(path)
    if volume.is_colour:
        raise InputError(f"{path}: expected labels in one channel, got a colour picture; save the mask as gray")
    whole = np.round(volume.array)
    if volume.array.dtype.kind == "f" and np.abs(whole - volume.array).max() > _WHOLE:
        raise InputError(f"{path}: expected whole numbers as labels, got fractions; threshold the image first")
    if whole.min() < 0:
        raise InputError(f"{path}: expected labels 0 and more, got {whole.min():g}; threshold the image first")
    labels = whole.astype(np.int32)
    if volume.source.kind == "raster" and set(np.unique(labels)) <= {0, 255}:
        labels = np.minimum(labels, 1)
    return LabelMap(labels, _grid_like(volume.grid, like))


def _grid_like(grid: Grid, like: Volume | None) -> Grid:
    """The image's grid for a mask that states no place of its own."""
    if like is None or grid.spacing_known:
        return grid
    if grid.shape != like.grid.shape:
        raise GeometryError(
            f"mask: expected the image's {like.grid.shape} voxels, got {grid.shape} and no place in the patient; "
            "draw it on this image"
        )
    return like.grid


def save_image(volume: Volume, path: Path) -> None:
    """Write a volume in the format that the name's suffix says: .nii .nii.gz .nrrd .mha .npy .png; whole or not there.

    A PNG takes one slice of 0 … 65535: whole numbers as they are, others rounded.
    Raises InputError for another suffix, or values that the format cannot hold.
    """
    path = Path(path)
    require_target(path)
    write = _WRITERS[suffix_of(path)]
    write(volume if write is _save_npy else _whole_colours(volume), path)


def require_target(path: Path) -> None:
    """Refuse a name that `save_image` could not write to, before the work for it is done.

    Raises InputError for another suffix, a folder that is not there, or one in the file's place.
    """
    if suffix_of(path) not in _WRITERS:
        raise InputError(f"{path.name}: expected a name that ends in {' '.join(_WRITERS)}; rename the output")
    require_place(path)


def require_place(path: Path) -> None:
    """Refuse a file whose folder is not there, or in whose place a folder is. Raises InputError."""
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: expected a folder to write into, found none; create it")
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, found a folder there; name a file in it")


def _whole_colours(volume: Volume) -> Volume:
    """Colours from 0 to 255 as whole numbers, which all that volumes' formats hold; everything else as it is."""
    if not volume.is_colour or volume.array.dtype.kind != "f":
        return volume
    if not -0.5 < volume.array.min() <= volume.array.max() < 255.5:
        return volume
    return volume.with_array(np.round(volume.array).astype(np.uint8))


def save_labels(labels: LabelMap, path: Path) -> None:
    """Write labels: numbers in volumes, 0 and 255 in a PNG of one label. Raises as `save_image` does."""
    highest = int(labels.array.max(initial=0))
    dtype = np.uint8 if highest < 256 else np.uint16 if highest < 65536 else np.int32
    array: np.ndarray = labels.array.astype(dtype)
    if suffix_of(Path(path)) == ".png" and highest == 1:
        array = np.where(labels.array > 0, 255, 0).astype(np.uint8)
    save_image(Volume(array, labels.grid, "label"), path)


def _save_png(volume: Volume, path: Path) -> None:
    """The one slice as a picture."""
    if not volume.is_2d:
        raise InputError(f"{path.name}: expected one slice for a PNG, got {volume.grid.shape[0]}; write .nii.gz")
    picture = volume.array[0]
    if picture.dtype not in (np.uint8, np.uint16):
        low, high = float(picture.min()), float(picture.max())
        if not (low > -0.5 and high < 65535.5):
            raise InputError(
                f"{path.name}: expected 0 to 65535 for a PNG, got {low:g} to {high:g}; apply a window, or write .nii.gz"
            )
        picture = np.round(picture).astype(np.uint8 if high < 255.5 else np.uint16)
    write_png(picture, path)


def _save_npy(volume: Volume, path: Path) -> None:
    """The bare array; one slice as (rows, columns)."""
    atomic_write(path, pack_npy(volume.array[0] if volume.is_2d else volume.array))


_WRITERS: Final[dict[str, Callable[[Volume, Path], None]]] = {
    ".nii.gz": write_nifti,
    ".nii": write_nifti,
    ".nrrd": write_nrrd,
    ".mha": write_metaimage,
    ".npy": _save_npy,
    ".png": _save_png,
}
