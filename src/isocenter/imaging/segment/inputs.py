"""What every way of segmenting asks of its image: one channel, numbers everywhere, known steps, seeds inside."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import to_gray

Place = tuple[int, int, int]
Seeds = tuple[tuple[int, ...], ...]
# Steps between slices beyond this many pixels are counted as this many: an outlier must not flatten the other axes.
_MOST_ANISOTROPY: Final = 1000.0
# float32 still holds the squares of such values, and sums of them.
_LARGEST: Final = 1e15


def gray_array(volume: Volume) -> np.ndarray:
    """The intensities as one channel, (slices, rows, columns), in their own type; colour becomes luma.

    Raises InputError where a voxel is NaN, infinite, or so large that its square is.
    """
    array = to_gray(volume).array
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        bad = array.size - int(np.count_nonzero(np.isfinite(array)))
        if bad:
            raise InputError(
                f"segment: expected a number in every voxel, {bad} of {array.size} are NaN or infinite; "
                "replace them with a value that you vouch for"
            )
        largest = float(np.abs(array).max(initial=0))
        if largest > _LARGEST:
            raise InputError(f"segment: expected values up to {_LARGEST:g}, got {largest:g}; scale the image")
    elif array.dtype.kind not in "iu":
        raise InputError(f"segment: expected intensities, got {array.dtype}")
    return array


def require_contrast(array: np.ndarray, method: str) -> None:
    """Raise InputError for a constant image, in which there is nothing to tell apart."""
    if not array.size or array.min() == array.max():
        raise InputError(f"{method}: expected at least two different intensities, got a constant image")


def relative_steps(volume: Volume) -> np.ndarray:
    """Distance between neighbours along (slices, rows, columns) with the finest as 1: only ratios, never millimetres.

    Where nobody stated a spacing, or an axis has one voxel, that axis counts as 1.
    """
    steps = np.linalg.norm(volume.grid.affine[:3, :3], axis=0)
    many = np.array(volume.grid.shape) > 1
    if not volume.grid.spacing_known or not many.any():
        return np.ones(3)
    ratio = steps / steps[many].min()
    return np.asarray(np.where(many, np.minimum(ratio, _MOST_ANISOTROPY), 1.0))


def sigma_in_steps(volume: Volume, sigma_mm: float | None, otherwise: float) -> float:
    """A width in finest steps: the wish in millimetres where there is one, else a number of steps.

    Raises UnknownSpacingError for a wish in millimetres on an image that states none; InputError below 0.
    """
    if sigma_mm is None:
        return otherwise
    return positive(sigma_mm, "sigma-mm", zero=True) / finest_mm(volume)


def finest_mm(volume: Volume) -> float:
    """The smallest distance between neighbours in mm, among axes with more than one voxel.

    Raises UnknownSpacingError where nobody stated it.
    """
    many = np.array(volume.grid.shape) > 1
    return float(volume.grid.spacing_mm[many].min()) if many.any() else float(volume.grid.spacing_mm.min())


def positive(value: float, name: str, *, zero: bool = False) -> float:
    """The value if it is finite and above 0 (or 0 where that is welcome); else InputError with the option's name."""
    if not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise InputError(f"--{name}: expected a number {'of 0 or more' if zero else 'above 0'}, got {value:g}")
    return float(value)


def seed_places(volume: Volume, seeds: Sequence[Sequence[int]]) -> list[Place]:
    """Array places (k, j, i) of seeds given as (column, row, slice); one slice needs no third number.

    Raises InputError for a seed outside the image or with another count of numbers.
    """
    places: list[Place] = []
    shape = volume.grid.shape
    for seed in seeds:
        numbers = tuple(int(value) for value in seed)
        if len(numbers) == 2 and shape[0] == 1:
            numbers = (*numbers, 0)
        if len(numbers) != 3:
            raise InputError(f"--seed: expected I,J,K (column, row, slice), got {','.join(map(str, numbers))}")
        i, j, k = numbers
        if not (0 <= k < shape[0] and 0 <= j < shape[1] and 0 <= i < shape[2]):
            raise InputError(
                f"--seed: expected column, row, slice below {shape[2]},{shape[1]},{shape[0]}, got {i},{j},{k}"
            )
        places.append((k, j, i))
    return places


def ball_around(shape: tuple[int, ...], place: Place, radius: float, steps: Sequence[float] | np.ndarray) -> np.ndarray:
    """Which voxels lie within a radius of a place, bool of a shape; radius and steps in the same unit."""
    squares = [((np.arange(n) - p) * step) ** 2 for n, p, step in zip(shape, place, steps, strict=True)]
    near = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= radius**2 * (1 + 1e-9)
    return np.asarray(near)
