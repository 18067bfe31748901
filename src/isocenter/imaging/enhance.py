"""Volumes made better to look at: intensities, smoothing and sharpening on the volume's own grid and in its unit.

Every function takes a volume and keyword options and returns a volume. Widths are in millimetres where the pixel size
is known (`sigma_mm`), in pixels elsewhere (`sigma_px`). Whole numbers stay whole where no new value arises (median,
morphology, grey); else float32 comes back, kept in the range of the integer type that came in.
"""

from dataclasses import replace
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume, Window
from isocenter.imaging import contrast, intensity, sharpen, smooth
from isocenter.imaging.channels import each_channel, keep_range, millimetres_of, require_finite, spacing_of

_PRESETS: Final = ("soft-tissue", "lung", "liver", "bone", "brain")


def window(
    volume: Volume,
    *,
    preset: Literal["soft-tissue", "lung", "liver", "bone", "brain"] | None = None,
    center: float | None = None,
    width: float | None = None,
    output: tuple[float, float] | None = None,
) -> Volume:
    """The volume cut to a window (brightness and contrast).

    preset          a width and centre in HU, by name
    center, width   in the image's unit; without either the header's window, else the 0.5 to 99.5 percentiles
    output          low,high that the window's ends become; without it values keep their unit and only the rest is cut
    """
    require_finite(volume)
    if (center is None) != (width is None):
        raise InputError("window: expected both --center and --width, got one; give both or a --preset")
    if preset is not None:
        chosen = intensity.PRESETS[preset]
    elif center is not None and width is not None:
        # DICOM's LINEAR counts steps of one unit, which fractions do not keep; a CT is read as whole floats.
        is_whole = volume.unit == "HU" or np.array_equal(volume.array, np.rint(volume.array))
        chosen = Window(center, width, "LINEAR" if is_whole else "LINEAR_EXACT")
    else:
        chosen = intensity.display_window(volume) or intensity.robust_window(volume.array)
    if output is not None:
        seen = intensity.apply_window(volume.array, chosen, low=output[0], high=output[1])
        return volume.with_array(seen, "a.u.")
    low, high = intensity.window_ends(chosen)
    cut = np.clip(np.asarray(volume.array, dtype=np.float32), np.float32(low), np.float32(high))
    return volume.with_array(cut)


def gamma(volume: Volume, *, gamma: float = 0.7) -> Volume:
    """The range bent by a power; below 1 brightens, above 1 darkens."""
    return _by_array(volume, lambda array: contrast.apply_gamma(array, gamma=gamma))


def equalize(volume: Volume) -> Volume:
    """Every brightness about as frequent as any other, in the same range."""
    return _by_array(volume, contrast.equalize)


def mean(volume: Volume, *, size: int = 3) -> Volume:
    """The mean over a cube of an odd number of voxels (a square in a picture)."""
    return _by_array(volume, lambda array: smooth.smooth_mean(array, size=size))


def gaussian(volume: Volume, *, sigma_mm: float | None = None, sigma_px: float | None = None) -> Volume:
    """A Gaussian blur, as wide in millimetres along every axis; one pixel's width unless stated."""
    sigma, spacing = _width(volume, sigma_mm, sigma_px)
    return _by_array(volume, lambda array: smooth.smooth_gaussian(array, sigma_mm=sigma, spacing_mm=spacing))


def median(volume: Volume, *, size: int = 3) -> Volume:
    """The median over a cube of an odd number of voxels (a square in a picture); the type of the values stays."""
    return each_channel(volume, lambda array: smooth.smooth_median(array, size=size))


def unsharp(
    volume: Volume, *, amount: float = 1.0, sigma_mm: float | None = None, sigma_px: float | None = None
) -> Volume:
    """Sharper: plus `amount` times what a Gaussian of that width takes away."""
    sigma, spacing = _width(volume, sigma_mm, sigma_px)
    return _by_array(
        volume, lambda array: sharpen.sharpen_unsharp(array, amount=amount, sigma_mm=sigma, spacing_mm=spacing)
    )


def laplacian(volume: Volume, *, amount: float = 1.0) -> Volume:
    """Sharper: minus `amount` times the Laplacian."""
    spacing = spacing_of(volume)
    return _by_array(volume, lambda array: sharpen.sharpen_laplacian(array, amount=amount, spacing_mm=spacing))


def grey(volume: Volume, *, standard: Literal["rec601", "rec709"] = "rec601") -> Volume:
    """One channel from colour: luma of ITU-R BT.601 or BT.709; gray stays as it is."""
    if standard == "rec601" or not volume.is_colour:
        return intensity.to_gray(volume)
    luma = volume.array.astype(np.float64) @ np.array((0.2126, 0.7152, 0.0722))
    whole = np.issubdtype(volume.array.dtype, np.integer)
    return volume.with_array((np.floor(luma + 0.5) if whole else luma).astype(volume.array.dtype), "a.u.")


def _by_array(volume: Volume, change) -> Volume:  # type: ignore[no-untyped-def]
    """Each channel changed, float32, in the range of the integer type that came in."""
    changed = each_channel(volume, change)
    return replace(changed, array=keep_range(changed.array, volume.array.dtype))


def _width(volume: Volume, sigma_mm: float | None, sigma_px: float | None) -> tuple[float, tuple[float, float, float]]:
    """A width and a spacing in one unit: millimetres, or the finest pixel's side."""
    if sigma_mm is not None and sigma_px is not None:
        raise InputError("sigma: expected --sigma-mm or --sigma-px, got both; leave one out")
    spacing = spacing_of(volume)
    if sigma_mm is not None:
        return sigma_mm, millimetres_of(volume, instead="--sigma-px")
    if sigma_px is not None:
        return sigma_px, (1.0, 1.0, 1.0)
    return min(spacing[1:]), spacing
