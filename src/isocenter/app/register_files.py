"""Two images in, one on the other's grid: what `isocenter register` does between reading and writing."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from isocenter.app.image_files import open_image
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.fuse_pictures import checkerboard_sheet
from isocenter.imaging.intensity import to_gray
from isocenter.imaging.register.bspline import register_bspline
from isocenter.imaging.register.deformable import register_deformable
from isocenter.imaging.register.linear import Measure, Registration, home_motion, register_linear
from isocenter.imaging.register.motion import Kind
from isocenter.imaging.register.warp import folding_percent, warp_field, warp_linear
from isocenter.io.atomic import atomic_write
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png
from isocenter.io.transforms import write_displacement, write_tfm

Transform = Literal["rigid", "similarity", "affine", "deformable"]
TRANSFORMS: Final[tuple[Transform, ...]] = ("rigid", "similarity", "affine", "deformable")
_OUTPUTS: Final = ("moved.nii.gz", "transform.tfm", "displacement.mha", "checkerboard.png", "metrics.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a registration came to.

    metrics   what `metrics.json` holds
    problem   one line that says why it is refused; empty where it is not
    """

    converged: bool
    problem: str
    metrics: dict[str, object]


def register_files(
    fixed_path: Path,
    moving_path: Path,
    out: Path,
    *,
    transform: Transform = "affine",
    measure: Measure = "auto",
    knots_mm: float | None = None,
) -> Outcome:
    """Register one image to another and write the folder: metrics always, the rest where the search converged.

    knots_mm   for "deformable": cubic B-splines with knots so far apart instead of the free field

    What an earlier run left in the folder under the same names is removed. Raises what reading and `register_linear`
    raise; nothing is written then.
    """
    if transform not in TRANSFORMS:
        raise InputError(f"--transform: expected one of {', '.join(TRANSFORMS)}; got {transform!r}")
    if knots_mm is not None and transform != "deformable":
        raise InputError(f"--knots-mm: expected --transform deformable with it, got {transform}; leave it out")
    fixed, moving = open_image(fixed_path), open_image(moving_path)
    begun = time.perf_counter()
    field: np.ndarray | None = None
    if transform == "deformable":
        if knots_mm is None:
            deformed = register_deformable(fixed, moving, measure=measure)
        else:
            deformed = register_bspline(fixed, moving, measure=measure, knot_mm=knots_mm)
        linear, field = deformed.linear, deformed.field_mm
    else:
        linear = register_linear(fixed, moving, kind=_as_kind(transform), measure=measure)
    seconds = time.perf_counter() - begun
    moved = warp_linear(moving, fixed.grid, linear.matrix) if field is None else warp_field(moving, fixed.grid, field)
    metrics = _metrics(transform, linear, moved, (fixed, moving))
    metrics["folding_percent"] = 0.0 if field is None else folding_percent(field, fixed.grid)
    metrics["seconds"] = round(seconds, 3)
    out.mkdir(parents=True, exist_ok=True)
    for name in _OUTPUTS:
        (out / name).unlink(missing_ok=True)
    if linear.evidence.converged:
        _write(out, fixed, moved, (linear.matrix, field))
    atomic_write(out / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    return Outcome(linear.evidence.converged, linear.evidence.problem, metrics)


def _as_kind(transform: Transform) -> Kind:
    return "rigid" if transform == "rigid" else "similarity" if transform == "similarity" else "affine"


def _metrics(
    transform: Transform, linear: Registration, moved: Volume, images: tuple[Volume, Volume]
) -> dict[str, object]:
    """What the file holds, in its order; similarity is the correlation coefficient on the fixed grid."""
    fixed, moving = images
    evidence = linear.evidence
    before = warp_linear(moving, fixed.grid, home_motion(fixed.grid, moving.grid))
    return {
        "converged": evidence.converged,
        "problem": evidence.problem,
        "transform": transform,
        "similarity": _correlation(fixed, moved),
        "initial_similarity": _correlation(fixed, before),
        "seconds": 0.0,
        "folding_percent": 0.0,
        "measure": linear.measure,
        "measure_value": linear.similarity,
        "initial_measure_value": linear.initial_similarity,
        "agreement": evidence.agreement,
        "local_similarity": evidence.local_similarity,
        "chance_similarity": evidence.chance,
        "inside_agreement": evidence.inside,
        "overlap": evidence.overlap,
        "standing": evidence.standing,
        "at_header_place": evidence.is_home,
        "n_starts": evidence.n_starts,
        "n_agreeing": evidence.n_agreeing,
        "matrix_lps_mm": linear.matrix.tolist(),
        "unit": "mm" if fixed.grid.spacing_known and moving.grid.spacing_known else "pixel",
    }


def _correlation(fixed: Volume, moved: Volume) -> float:
    """The correlation coefficient of all finite voxels; 0 where one image is constant."""
    one, other = (np.asarray(to_gray(image).array, dtype=np.float64).ravel() for image in (fixed, moved))
    both = np.isfinite(one) & np.isfinite(other)
    if np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return 0.0
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _write(out: Path, fixed: Volume, moved: Volume, result: tuple[np.ndarray, np.ndarray | None]) -> None:
    matrix, field = result
    write_nifti(moved, out / "moved.nii.gz")
    if field is None:
        in_plane = fixed.is_2d and not fixed.grid.position_known
        write_tfm(matrix, out / "transform.tfm", in_plane=in_plane)
    else:
        write_displacement(field, fixed.grid, out / "displacement.mha")
    write_png(checkerboard_sheet(fixed, moved), out / "checkerboard.png")
