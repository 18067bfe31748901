"""Two images of one place: on one grid by the world frame, as one image, as one table."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid, require_same_grid
from isocenter.core.mask import LabelMap, Regions
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import robust_window, scale_to_unit, to_gray
from isocenter.imaging.spatial import resample_to

Rule = Literal["maximum", "average"]
# The B3 spline of the starlet transform. Source: Starck JL, Murtagh F. Astronomical Image and Data Analysis, 2006, A.
_B3: Final = np.array((1, 4, 6, 4, 1)) / 16
_N_BINS: Final = 32
# Into at most so many parts a coarse voxel is divided along an axis, and the grid altogether.
_MOST_PARTS: Final = 6
_MOST_VOXELS: Final = 200_000_000


def bring_onto(first: Volume, second: Volume) -> Volume:
    """The second image on the first one's grid by the world frame, float32, linear; 0 or its lowest value outside.

    Where the first grid is coarser, each of its voxels holds the mean of what it covers.

    A mask of 0 and 1 comes back as shares of voxels, whose weighted centre and volume are the mask's own.

    Raises GeometryError where the place of one is unknown while the grids differ, or where they share no place.
    """
    if not (first.grid.position_known and second.grid.position_known):
        if first.grid.shape != second.grid.shape:
            raise GeometryError(
                f"fusion: expected images with a place in the patient, got {first.grid.shape} and {second.grid.shape} "
                "pixels without one; register them first"
            )
        return Volume(np.asarray(second.array, dtype=np.float32), first.grid, second.unit, second.modality)
    if covered_share(first.grid, second.grid) == 0:
        raise GeometryError("fusion: expected images of one place, got two that share none; register them first")
    gray = to_gray(second)
    finite = np.asarray(gray.array, dtype=np.float32)
    if not np.isfinite(finite).all():
        finite = np.nan_to_num(finite, nan=0.0, posinf=0.0, neginf=0.0)
    return _resample_mean(gray.with_array(finite), first.grid, outside=min(0.0, float(finite.min())))


def _resample_mean(volume: Volume, grid: Grid, *, outside: float) -> Volume:
    """The volume on another grid; where that one is coarser, each voxel is the mean of the places that it covers."""
    steps = np.abs(np.linalg.inv(volume.grid.affine)[:3, :3] @ grid.affine[:3, :3]).max(axis=0)
    parts = np.clip(np.ceil(steps - 0.01), 1, _MOST_PARTS).astype(int)
    if (parts == 1).all() or np.prod(parts) * np.prod(grid.shape) > _MOST_VOXELS:
        return resample_to(volume, grid, outside=outside)
    affine = grid.affine.copy()
    affine[:3, 3] -= grid.affine[:3, :3] @ ((parts - 1) / (2 * parts))
    affine[:3, :3] = grid.affine[:3, :3] / parts
    a, b, c = (int(part) for part in parts)
    fine = Grid((grid.shape[0] * a, grid.shape[1] * b, grid.shape[2] * c), affine)
    values = resample_to(volume, fine, outside=outside)
    blocks = values.array.reshape(grid.shape[0], a, grid.shape[1], b, grid.shape[2], c)
    return Volume(blocks.mean(axis=(1, 3, 5)), grid, values.unit, values.modality, values.facts, values.source)


def covered_share(grid: Grid, other: Grid) -> float:
    """Share of a grid's voxels that lie in another grid, 0 to 1 (looked at on at most 32 x 32 x 32 of them)."""
    axes = [np.linspace(0, size - 1, min(size, 32)) for size in grid.shape]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    place = other.to_index(grid.to_world_mm(index))
    return float(((place > -0.5) & (place < np.array(other.shape) - 0.5)).all(1).mean())


def fuse_wavelet(first: Volume, second: Volume, *, n_levels: int = 4, rule: Rule = "maximum") -> Volume:
    """Both images as one, 0 to 1: fine detail from whichever has more of it, the coarse rest as the mean.

    rule   for each detail of the undecimated (starlet) transform: the larger of the two, or their average

    Both are scaled by robust percentiles first. Raises GeometryError unless they are on one grid.
    Source: Li H, Manjunath BS, Mitra SK. Graph Models Image Process 1995;57(3):235-245 (choose-max rule).
    """
    if rule not in ("maximum", "average") or not 1 <= n_levels <= 8:
        raise InputError(f"fusion: expected maximum or average and 1 to 8 levels, got {rule!r} and {n_levels}")
    one, other = _units(first, second)
    fused = np.zeros(first.grid.shape, dtype=np.float32)
    for level in range(n_levels):
        smooth_one, smooth_other = _starlet_smooth(one, 2**level), _starlet_smooth(other, 2**level)
        detail, other_detail = one - smooth_one, other - smooth_other
        if rule == "maximum":
            fused += np.where(np.abs(detail) >= np.abs(other_detail), detail, other_detail)
        else:
            fused += (detail + other_detail) / 2
        one, other = smooth_one, smooth_other
    return Volume(np.clip(fused + (one + other) / 2, 0, 1), first.grid, "a.u.")


def fuse_pca(first: Volume, second: Volume) -> tuple[Volume, tuple[float, float]]:
    """Both images as their weighted mean, 0 to 1, and the weights: the first principal component of the two.

    Two images that vary against one another get the absolute weights of that component.
    Raises GeometryError unless they are on one grid. Source: Pearson K. Philos Mag 1901;2(11):559-572.
    """
    one, other = _units(first, second)
    covariance = np.cov(one.ravel(), other.ravel())
    weights = np.abs(np.linalg.eigh(covariance)[1][:, -1])
    share = weights / weights.sum()
    fused = one * np.float32(share[0]) + other * np.float32(share[1])
    return Volume(fused, first.grid, "a.u."), (float(share[0]), float(share[1]))


@dataclass(frozen=True, slots=True)
class JointRow:
    """What two images hold together within one label.

    information_nats   mutual information of 32 x 32 bins
    """

    label: int
    n_voxels: int
    mean_first: float
    deviation_first: float
    mean_second: float
    deviation_second: float
    correlation: float
    information_nats: float


def joint_table(first: Volume, second: Volume, labels: LabelMap | Regions | None = None) -> tuple[JointRow, ...]:
    """One row per label (0 the whole image where there are none): means, deviations, correlation, mutual information.

    Raises GeometryError unless all are on one grid.
    """
    require_same_grid(first.grid, second.grid)
    one, other = (np.asarray(to_gray(image).array, dtype=np.float64) for image in (first, second))
    known = np.isfinite(one) & np.isfinite(other)
    if labels is None:
        return (_joint_row(0, one[known], other[known]),)
    require_same_grid(first.grid, labels.grid)
    rows = []
    for label in labels.labels:
        inside = known & labels.mask_of(label).array
        rows.append(_joint_row(label, one[inside], other[inside]))
    return tuple(rows)


def _joint_row(label: int, one: np.ndarray, other: np.ndarray) -> JointRow:
    if not one.size:
        return JointRow(label, 0, *(float("nan"),) * 6)
    flat = np.ptp(one) == 0 or np.ptp(other) == 0
    counts = np.histogram2d(one, other, bins=_N_BINS)[0] / one.size
    apart = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True)
    seen = counts > 0
    information = float((counts[seen] * np.log(counts[seen] / apart[seen])).sum())
    return JointRow(
        label,
        int(one.size),
        float(one.mean()),
        float(one.std()),
        float(other.mean()),
        float(other.std()),
        float("nan") if flat else float(np.corrcoef(one, other)[0, 1]),
        0.0 if flat else information,
    )


def _units(first: Volume, second: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays from 0 to 1 between their robust percentiles, float32."""
    require_same_grid(first.grid, second.grid)
    arrays = []
    for image in (first, second):
        array = np.asarray(to_gray(image).array, dtype=np.float32)
        window = robust_window(array)
        low, high = window.center - window.width / 2, window.center + window.width / 2
        arrays.append(scale_to_unit(np.clip(np.nan_to_num(array, nan=low), low, high)))
    return arrays[0], arrays[1]


def _starlet_smooth(array: np.ndarray, step: int) -> np.ndarray:
    """The array smoothed by the B3 spline with `step - 1` holes between its weights; mirrored at the border."""
    from scipy import ndimage

    kernel = np.zeros(4 * step + 1)
    kernel[::step] = _B3
    smooth = array
    for axis in range(3):
        if array.shape[axis] > 1:
            smooth = ndimage.convolve1d(smooth, kernel, axis=axis, mode="mirror")
    return np.asarray(smooth, dtype=np.float32)
