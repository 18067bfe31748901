"""Volume, surface and form of a region, and how its intensities lie in space.

Source: IBSI reference manual, morphological features (HCUG). Lengths along slices, rows and columns, in mm.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from isocenter.imaging.features.autocorrelation import spatial_autocorrelation
from isocenter.imaging.features.enclosing import hull_of, largest_distance, smallest_box_mm, smallest_ellipsoid
from isocenter.imaging.features.mesh import measure_surface
from isocenter.imaging.features.roi import Roi

_LEGENDRE_TERMS = 20
TAGS = (
    "volume", "vol_approx", "area_mesh", "av", "comp_1", "comp_2", "sph_dispr", "sphericity", "asphericity", "com",
    "diam", "pca_maj_axis", "pca_min_axis", "pca_least_axis", "pca_elongation", "pca_flatness",
    "vol_dens_aabb", "area_dens_aabb", "vol_dens_ombb", "area_dens_ombb", "vol_dens_aee", "area_dens_aee",
    "vol_dens_mvee", "area_dens_mvee", "vol_dens_conv_hull", "area_dens_conv_hull", "integ_int", "moran_i", "geary_c",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Body:
    """A simple body around or like the region."""

    volume_mm3: float
    area_mm2: float


def morphological_features(roi: Roi, *, leave_out: Collection[str] = ()) -> dict[str, float]:
    """The 29 morphological features by tag without family; NaN where one does not exist or the spacing is unknown.

    leave_out   tags without family that are not computed
    """
    features = dict.fromkeys(TAGS, np.nan)
    if roi.spacing_mm is None:
        return features
    spacing = np.asarray(roi.spacing_mm)
    surface = measure_surface(roi.shape_mask, spacing_mm=roi.spacing_mm)
    n_voxels, centre, spread = _moments(roi.shape_mask, spacing)
    hull = hull_of(surface.vertices_mm)
    features |= _surface_features(surface.volume_mm3, surface.area_mm2)
    lengths = _axis_lengths(spread)
    features |= {
        "vol_approx": float(n_voxels * np.prod(spacing)),
        "com": _centre_shift(roi, centre),
        "diam": largest_distance(hull.points),
        "pca_maj_axis": lengths[0],
        "pca_min_axis": lengths[1],
        "pca_least_axis": lengths[2],
        "pca_elongation": _ratio(lengths[1], lengths[0]),
        "pca_flatness": _ratio(lengths[2], lengths[0]),
        "integ_int": surface.volume_mm3 * float(roi.values.mean()),
    }
    bodies = {
        "aabb": _box(np.ptp(surface.vertices_mm, axis=0)),
        "aee": _ellipsoid(lengths / 2),
        "conv_hull": _Body(hull.volume_mm3, hull.area_mm2),
    }
    if "vol_dens_mvee" not in leave_out:
        bodies["mvee"] = _ellipsoid(smallest_ellipsoid(hull.points))
    if "vol_dens_ombb" not in leave_out:
        bodies["ombb"] = _box(smallest_box_mm(hull))
    for name, body in bodies.items():
        features[f"vol_dens_{name}"] = _ratio(surface.volume_mm3, body.volume_mm3)
        features[f"area_dens_{name}"] = _ratio(surface.area_mm2, body.area_mm2)
    if not {"moran_i", "geary_c"} <= set(leave_out):
        features["moran_i"], features["geary_c"] = spatial_autocorrelation(
            roi.image, roi.mask, spacing_mm=roi.spacing_mm
        )
    return features


def _surface_features(volume: float, area: float) -> dict[str, float]:
    """What follows from the mesh's volume (mm3) and area (mm2) alone."""
    ball = (36 * np.pi * volume**2) ** (1 / 3)
    return {
        "volume": volume,
        "area_mesh": area,
        "av": area / volume,
        "comp_1": volume / (np.sqrt(np.pi) * area**1.5),
        "comp_2": 36 * np.pi * volume**2 / area**3,
        "sph_dispr": area / ball,
        "sphericity": ball / area,
        "asphericity": area / ball - 1,
    }


def _moments(mask: np.ndarray, spacing: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """(number, mean, covariance with n - 1) of the voxel centres in mm, from the mask's three projections."""
    steps = [np.arange(n) * step for n, step in zip(mask.shape, spacing, strict=True)]
    planes = {(0, 1): mask.sum(axis=2), (0, 2): mask.sum(axis=1), (1, 2): mask.sum(axis=0)}
    lines = [planes[0, 1].sum(axis=1), planes[0, 1].sum(axis=0), planes[0, 2].sum(axis=0)]
    n_voxels = int(lines[0].sum())
    centre = np.array([float(line @ step) / n_voxels for line, step in zip(lines, steps, strict=True)])
    apart = [step - middle for step, middle in zip(steps, centre, strict=True)]
    spread = np.diag([float(line @ each**2) for line, each in zip(lines, apart, strict=True)])
    for (one, other), plane in planes.items():
        spread[one, other] = spread[other, one] = apart[one] @ plane @ apart[other]
    return n_voxels, centre, spread / max(n_voxels - 1, 1)


def _axis_lengths(spread: np.ndarray) -> np.ndarray:
    """Four times the standard deviation along the principal axes of the voxel centres, longest first."""
    along = np.linalg.eigvalsh(spread)[::-1]
    # What rounding leaves of a flat region's thickness is none.
    along = np.where(along > 1e-9 * max(float(along[0]), 1e-9), along, 0.0)
    return np.asarray(4 * np.sqrt(along))


def _centre_shift(roi: Roi, centre: np.ndarray) -> float:
    """The distance in mm between the region's centre and its centre weighted by intensity."""
    weights = np.where(roi.mask, roi.image, 0.0)
    total = float(weights.sum())
    if not total or roi.spacing_mm is None:
        return np.nan
    plane = weights.sum(axis=2)
    lines = (plane.sum(axis=1), plane.sum(axis=0), weights.sum(axis=(0, 1)))
    weighted = [float(line @ np.arange(len(line))) / total for line in lines]
    return float(np.linalg.norm(centre - np.array(weighted) * np.asarray(roi.spacing_mm)))


def _box(sides: np.ndarray) -> _Body:
    a, b, c = (float(side) for side in sides)
    return _Body(a * b * c, 2 * (a * b + a * c + b * c))


def _ellipsoid(half_axes: np.ndarray) -> _Body:
    """An ellipsoid of those half axes in mm, longest first; its area by the manual's series of Legendre polynomials.

    The manual puts the eccentricities of b and c against a into a series that wants those of c against a and b; the
    reference values follow the manual (the true area would be 4 % larger on its digital phantom), and so does this.
    """
    a, b, c = (float(each) for each in half_axes)
    if not a:
        return _Body(0.0, 0.0)
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    # q_n = (alpha beta)^n P_n((alpha^2 + beta^2) / (2 alpha beta)), which stays finite for balls.
    before, now, total = 0.0, 1.0, 0.0
    for n in range(_LEGENDRE_TERMS + 1):
        total += now / (1 - 4 * n * n)
        following = ((2 * n + 1) * (alpha2 + beta2) / 2 * now - n * alpha2 * beta2 * before) / (n + 1)
        before, now = now, following
    return _Body(4 / 3 * np.pi * a * b * c, 4 * np.pi * a * b * total)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan
