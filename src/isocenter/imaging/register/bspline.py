"""Deformable registration by free-form deformation: cubic B-splines on a grid of knots, after an affine motion.

For fields that are known to be smooth on a stated scale; `deformable` follows finer motion and is faster.

Source: Rueckert D et al. IEEE Trans Med Imaging 1999;18(8):712-721; the optimiser and the metrics are SimpleITK's.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import to_gray
from isocenter.imaging.register.deformable import Deformation
from isocenter.imaging.register.linear import Measure, register_linear, weigh_moved
from isocenter.imaging.register.warp import folding_percent, warp_field, warp_linear

# Knots along the longest side of the fixed image where nobody stated their distance, and the most there may be.
_KNOTS: Final = 10
_MOST_KNOTS: Final = 60
_ITERATIONS: Final = 60
# Voxels that the metric looks at on each resolution.
_SAMPLES: Final = 60_000
_FACTORS: Final = (4, 2, 1)
# A resolution is used while the shortest side keeps so many voxels.
_LEAST_SIDE: Final = 8


def register_bspline(
    fixed: Volume, moving: Volume, *, measure: Measure = "auto", knot_mm: float | None = None
) -> Deformation:
    """The B-spline displacement that brings `moving` onto `fixed`, after an affine motion.

    knot_mm   distance of the knots; None: a tenth of the longest side

    Raises InputError for a knot distance that gives too many knots, and what `register_linear` raises.
    """
    extent = np.linalg.norm(fixed.grid.affine[:3, :3], axis=0) * np.array(fixed.grid.shape)
    knot_mm = float(extent.max()) / _KNOTS if knot_mm is None else knot_mm
    if not extent.max() / _MOST_KNOTS <= knot_mm < np.inf:
        raise InputError(
            f"knots: expected a distance of at least {extent.max() / _MOST_KNOTS:.3g} mm, got {knot_mm:g}; "
            "leave it out for a tenth of the image"
        )
    linear = register_linear(fixed, moving, kind="affine", measure=measure)
    near = warp_linear(to_gray(moving), fixed.grid, linear.matrix)
    along_axes_mm = _fit_splines(to_gray(fixed), near, knot_mm, information=linear.measure == "information")
    field_mm = _with_affine(along_axes_mm, fixed.grid.affine, linear.matrix)
    moved = warp_field(to_gray(moving), fixed.grid, field_mm)
    weighed = replace(linear, evidence=weigh_moved(fixed, moved, linear.evidence))
    return Deformation(field_mm, weighed, folding_percent(field_mm, fixed.grid))


def _fit_splines(fixed: Volume, near: Volume, knot_mm: float, *, information: bool) -> np.ndarray:
    """The displacement in mm along (k, j, i), (slices, rows, columns, 3), between two images on one grid."""
    import SimpleITK as sitk  # noqa: N813

    spacing = np.linalg.norm(fixed.grid.affine[:3, :3], axis=0)
    images = [_plain_image(volume, spacing) for volume in (fixed, near)]
    n_axes = images[0].GetDimension()
    size, steps = np.array(images[0].GetSize()), np.array(images[0].GetSpacing())
    factors = [factor for factor in _FACTORS if size.min() // factor >= _LEAST_SIDE] or [1]
    scales = [max(factors) // factor for factor in factors]
    mesh = np.maximum(1, np.round(size * steps / knot_mm / max(scales))).astype(int).tolist()
    search = sitk.ImageRegistrationMethod()
    if information:
        search.SetMetricAsMattesMutualInformation(48)
    else:
        search.SetMetricAsCorrelation()
    search.SetMetricSamplingStrategy(search.REGULAR)
    search.SetMetricSamplingPercentagePerLevel(
        [min(1.0, _SAMPLES * factor**n_axes / size.prod()) for factor in factors]
    )
    search.SetInterpolator(sitk.sitkLinear)
    # The correlation changes little per mm of a knot: with looser ends the search stops where it began.
    search.SetOptimizerAsLBFGS2(solutionAccuracy=1e-6, numberOfIterations=_ITERATIONS, deltaConvergenceTolerance=1e-6)
    search.SetShrinkFactorsPerLevel(factors)
    search.SetSmoothingSigmasPerLevel([factor / 2 for factor in factors])
    search.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    start = sitk.BSplineTransformInitializer(images[0], mesh, order=3)
    search.SetInitialTransformAsBSpline(start, inPlace=True, scaleFactors=scales)
    found = search.Execute(*images)
    displaced = sitk.TransformToDisplacementField(
        found, sitk.sitkVectorFloat64, images[0].GetSize(), images[0].GetOrigin(), images[0].GetSpacing()
    )
    field = np.asarray(sitk.GetArrayFromImage(displaced))[..., ::-1]
    if n_axes == 2:
        field = np.concatenate((np.zeros((*field.shape[:2], 1)), field), axis=2)[np.newaxis]
    return np.asarray(field)


def _plain_image(volume: Volume, spacing: np.ndarray) -> Any:
    """The array along its own axes: one slice as a picture, spacing in mm, the first voxel at the origin."""
    import SimpleITK as sitk  # noqa: N813

    array = np.asarray(volume.array, dtype=np.float32)
    image = sitk.GetImageFromArray(array[0] if volume.is_2d else array)
    image.SetSpacing([float(step) for step in (spacing[1:] if volume.is_2d else spacing)[::-1]])
    return image


def _with_affine(along_axes_mm: np.ndarray, grid_affine: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The whole displacement in LPS mm, float32: first along the grid's axes, then by the affine motion."""
    axes = grid_affine[:3, :3] / np.linalg.norm(grid_affine[:3, :3], axis=0)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in along_axes_mm.shape[:3]), indexing="ij"), axis=-1)
    places = index @ grid_affine[:3, :3].T + grid_affine[:3, 3]
    bent = places + along_axes_mm @ axes.T
    return np.asarray(bent @ matrix[:3, :3].T + matrix[:3, 3] - places, dtype=np.float32)
