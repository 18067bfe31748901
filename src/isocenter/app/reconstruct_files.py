"""A file of measurements in, an image on disk out."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isocenter.app.image_files import require_target, save_image
from isocenter.app.parameters import call_with, describe_parameters
from isocenter.core.errors import FormatError, InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.methods import FROM_KSPACE, FROM_PROJECTIONS
from isocenter.imaging.reconstruct.scans import KspaceScan, ProjectionScan
from isocenter.io.npz import read_npz

METHODS = (*FROM_PROJECTIONS, *FROM_KSPACE)
_PROJECTION_KEYS = ("sinogram", "angles_deg", "detector_mm", "size", "pixel_mm")
_FAN_KEYS = ("source_mm", "detector_distance_mm")
_EMISSION_KEYS = ("factor", "background")
_KSPACE_KEYS = ("kspace", "mask", "sensitivities")


def reconstruct_file(method: str, source: Path, out: Path, given: Mapping[str, object]) -> Volume:
    """The image of a scan in an `.npz` file, also written to `out` (.npy float32, .nii.gz, .png …).

    given   options of the method by name, as texts or values

    Raises UnreadableError where there is no such file, InputError for another method, missing or unfit arrays.
    """
    if method not in METHODS:
        raise InputError(f"reconstruct: expected one of {' '.join(METHODS)}, got {method!r}")
    if not source.is_file():
        raise UnreadableError(f"{source}: expected an .npz file, found none there; check the path")
    require_target(out)
    if method in FROM_KSPACE:
        image = call_with(FROM_KSPACE[method], read_kspace(source), given=given)
        volume = Volume(image[np.newaxis], Grid.of_pixels((1, *image.shape)), "a.u.", "MR")
    else:
        scan = read_projections(source)
        image = call_with(FROM_PROJECTIONS[method], scan, given=given)
        volume = _in_millimetres(image, scan.geometry)
    save_image(_for_picture(volume) if out.name.lower().endswith(".png") else volume, out)
    return volume


def describe_methods() -> tuple[str, ...]:
    """Two lines per method: its name and what it does; its options with their defaults."""
    lines = []
    for name, function in {**FROM_PROJECTIONS, **FROM_KSPACE}.items():
        summary = (function.__doc__ or "").strip().splitlines()[0]
        lines += [f"{name}: {summary}", f"    {'  '.join(describe_parameters(function)) or 'no options'}"]
    return tuple(lines)


def read_projections(path: Path) -> ProjectionScan:
    """A CT or PET scan: sinogram, angles_deg, detector_mm, size, pixel_mm; source_mm and detector_distance_mm of a fan;
    factor and background of an emission scan."""
    arrays = _read(path, (*_PROJECTION_KEYS, *_FAN_KEYS, *_EMISSION_KEYS))
    _require(arrays, _PROJECTION_KEYS, path, "a sinogram")
    sinogram, angles = arrays["sinogram"], arrays["angles_deg"]
    if sinogram.ndim != 2 or angles.dtype.kind not in "biuf" or angles.shape != (len(sinogram),):
        raise InputError(
            f"{path.name}: expected sinogram (views, detectors) and one angle per view, got {sinogram.shape} and "
            f"angles_deg {angles.shape}"
        )
    if min(sinogram.shape) < 1:
        raise InputError(f"{path.name}: expected at least one view and one bin, got {sinogram.shape}")
    size = arrays["size"]
    if size.shape != (2,) or not np.array_equal(size, np.round(size)):
        raise InputError(f"{path.name}: expected size as (rows, columns), got shape {size.shape}")
    beam = [_number(arrays, name, path) for name in _FAN_KEYS if name in arrays]
    if len(beam) == 1:
        raise InputError(f"{path.name}: expected source_mm and detector_distance_mm together, got one of them")
    geometry = ScanGeometry(
        angles_deg=angles,
        n_detectors=sinogram.shape[1],
        detector_mm=_number(arrays, "detector_mm", path),
        size=(int(size[0]), int(size[1])),
        pixel_mm=_number(arrays, "pixel_mm", path),
        beam_mm=(beam[0], beam[1]) if beam else None,
    )
    return ProjectionScan(sinogram, geometry, arrays.get("factor", 1.0), arrays.get("background", 0.0))


def read_kspace(path: Path) -> KspaceScan:
    """An MR scan: kspace, mask, and sensitivities where known."""
    arrays = _read(path, _KSPACE_KEYS)
    _require(arrays, _KSPACE_KEYS[:2], path, "k-space")
    return KspaceScan(arrays["kspace"], arrays["mask"], arrays.get("sensitivities"))


def _read(path: Path, names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
    """The arrays of the file; what cannot be read at all is told with the file's name."""
    try:
        return read_npz(path, names)
    except FormatError as error:
        text = str(error)
        raise UnreadableError(text if text.startswith(path.name) else f"{path.name}: {text}") from error


def _require(arrays: Mapping[str, np.ndarray], names: tuple[str, ...], path: Path, what: str) -> None:
    missing = [name for name in names if name not in arrays]
    if missing:
        raise InputError(f"{path.name}: expected {what} with {', '.join(names)}; {', '.join(missing)} is missing")


def _number(arrays: Mapping[str, np.ndarray], name: str, path: Path) -> float:
    array = arrays[name]
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise InputError(f"{path.name}: expected one number as {name}, got {array.dtype} of shape {array.shape}")
    return float(array.reshape(-1)[0])


def _in_millimetres(image: np.ndarray, geometry: ScanGeometry) -> Volume:
    """The image as one slice whose centre is the origin."""
    spacing = (1.0, geometry.pixel_mm, geometry.pixel_mm)
    grid = Grid.of_spacing((1, *image.shape), spacing)
    return Volume(image[np.newaxis], grid, "1/mm")


def _for_picture(volume: Volume) -> Volume:
    """Stretched from the 0.5th to the 99.5th percentile onto 0 … 255, to look at."""
    low, high = np.percentile(volume.array, [0.5, 99.5])
    scaled = np.clip((volume.array - low) / max(float(high - low), 1e-12), 0, 1)
    return volume.with_array(np.round(scaled * 255).astype(np.uint8))
