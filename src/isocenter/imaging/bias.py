"""The slow brightness field of MR coils, estimated and divided out (N4)."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.channels import keep_range, require_finite

_ITERATIONS: Final = (50, 50, 50)
# The field is fitted on about this many voxels along the longest axis.
_FIT_VOXELS: Final = 64
# How wide the field's own histogram is taken to be. With ITK's 0.15 a field of a factor of two is not found where noise
# is low: the tissues' peaks are then narrower than the field is wide (seen on phantoms, tests/imaging/test_bias.py).
_FIELD_WIDTH: Final = 0.3
_FLOOR: Final = 1e-6


def correct_bias(
    volume: Volume, *, mask: np.ndarray | None = None, control_points: int = 4
) -> tuple[Volume, np.ndarray]:
    """The volume without its slow brightness field, and the field (float32, mean 1 in the mask).

    mask             bool; where the field is fitted; without one, what Otsu's threshold finds bright
    control_points   of the B-spline along each axis at the coarsest level: more follow a faster field

    Source: Tustison et al., IEEE Trans. Med. Imaging 2010;29(6):1310-1320, as SimpleITK has it.
    Raises InputError for colour, an empty mask, or an image without brightness to correct.
    """
    import SimpleITK as sitk  # noqa: N813

    _check(volume, control_points)
    values = np.asarray(volume.array, dtype=np.float32)
    inside = _mask_of(values, mask)
    # The logarithm needs positive values; what is below 0 is moved there and back.
    lift = max(0.0, -float(values.min())) + _FLOOR * float(np.ptp(values))
    flat = len(values) == 1
    lifted = values[0] + np.float32(lift) if flat else values + np.float32(lift)
    image = sitk.GetImageFromArray(lifted)
    cover = sitk.GetImageFromArray((inside[0] if flat else inside).astype(np.uint8))
    spacing = volume.grid.spacing_mm if volume.grid.spacing_known else np.ones(3)
    for each in (image, cover):
        each.SetSpacing([float(step) for step in spacing[::-1][: 2 if flat else 3]])
    shrink = [max(1, round(size / _FIT_VOXELS)) for size in image.GetSize()]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(_ITERATIONS)
    n4.SetBiasFieldFullWidthAtHalfMaximum(_FIELD_WIDTH)
    n4.SetNumberOfControlPoints([max(4, control_points)] * image.GetDimension())
    n4.Execute(sitk.Shrink(image, shrink), sitk.Shrink(cover, shrink))
    log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).reshape(values.shape)
    field = np.exp(log_field - log_field[inside].mean(dtype=np.float64)).astype(np.float32)
    corrected = (values + np.float32(lift)) / field - np.float32(lift)
    return volume.with_array(keep_range(corrected, volume.array.dtype)), field


def _check(volume: Volume, control_points: int) -> None:
    require_finite(volume)
    if volume.is_colour:
        raise InputError("bias field: expected one channel, got colour; make it grey first")
    if not 4 <= control_points <= 32:
        raise InputError(f"control points: expected 4 to 32, got {control_points}")
    sides = [size for size in volume.grid.shape if size > 1]
    if len(sides) < 2 or min(sides) < 4:
        raise InputError(f"bias field: expected at least 4 voxels along each axis, got {volume.grid.shape}")


def _mask_of(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Where the field is fitted."""
    from isocenter.imaging.segment.threshold import otsu_limit

    if not float(np.ptp(values)) > 0:
        raise InputError("bias field: expected an image with contrast, every voxel has the same value")
    if mask is None:
        low = float(values.min())
        # Tissue that the field darkens must not fall under the threshold: it is taken on the roots of the values.
        roots = np.sqrt(values - np.float32(low))
        return np.asarray(roots > otsu_limit(roots))
    if mask.shape != values.shape or not mask.any():
        raise InputError(f"mask: expected voxels in a mask of shape {values.shape}, got {mask.shape}; draw it again")
    return mask
