"""Intensities: windows as DICOM defines them, normalising, gray from colour, and the picture that a screen shows."""

from collections.abc import Iterable, Mapping
from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume, Window

# ITU-R BT.601 luma.
LUMA: Final = np.array((0.299, 0.587, 0.114))
# Width and centre in HU, as viewers ship them.
PRESETS: Final[Mapping[str, Window]] = {
    "soft-tissue": Window(40, 400),
    "lung": Window(-600, 1500),
    "liver": Window(90, 150),
    "bone": Window(480, 2500),
    "brain": Window(40, 80),
}
# A header may state a width that shows nothing; beyond this many voxels percentiles come from a sample.
_SAMPLE: Final = 1_000_000


def apply_window(array: np.ndarray, window: Window, *, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """The array seen through a VOI window, float32 from `low` to `high`.

    window   centre and width in the array's own unit (after rescaling)

    >>> apply_window(np.array([-160.0, 39.5, 240.0]), Window(40, 400)).tolist()
    [0.0, 0.5, 1.0]

    Raises InputError for a width that the function does not allow.
    Source: DICOM PS3.3 C.11.2.1.2 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT).
    """
    darkest, brightest = window_ends(window)
    if window.function in ("LINEAR", "LINEAR_EXACT"):
        return _ramp(array, (darkest + brightest) / 2, brightest - darkest, low, high)
    if window.function == "SIGMOID":
        slope = np.clip((np.asarray(array, dtype=np.float32) - window.center) * (4 / window.width), -80, 80)
        return np.asarray((high - low) / (1 + np.exp(-slope)) + low, dtype=np.float32)
    raise InputError(f"window: expected LINEAR, LINEAR_EXACT or SIGMOID, got {window.function!r}")


def window_ends(window: Window) -> tuple[float, float]:
    """The values that become the darkest and the brightest; SIGMOID comes close to its own beyond them.

    >>> window_ends(Window(40, 400)), window_ends(Window(0.5, 1, "LINEAR_EXACT"))
    ((-160.0, 239.0), (0.0, 1.0))

    Raises InputError and has its source as `apply_window`.
    """
    if window.function == "LINEAR":
        if not window.width >= 1:
            raise InputError(f"window: expected a width of at least 1 for LINEAR, got {window.width}")
        return window.center - window.width / 2, window.center + window.width / 2 - 1
    if not window.width > 0:
        raise InputError(f"window: expected a positive width, got {window.width}")
    return window.center - window.width / 2, window.center + window.width / 2


def _ramp(array: np.ndarray, center: float, width: float, low: float, high: float) -> np.ndarray:
    """From `low` at center - width / 2 to `high` at center + width / 2; a step above the centre for width 0."""
    if width == 0:
        return np.where(array > center, np.float32(high), np.float32(low))
    shown = np.empty(array.shape, dtype=np.float32)
    # Slice by slice, so that each stays in the processor's cache through all steps.
    for part, values in zip(_slices(shown), _slices(array), strict=True):
        np.subtract(values, np.float32(center), out=part, casting="same_kind")
        part *= np.float32(1 / width)
        part += np.float32(0.5)
        np.clip(part, 0, 1, out=part)
        part *= np.float32(high - low)
        part += np.float32(low)
    return shown


def _slices(array: np.ndarray) -> Iterable[np.ndarray]:
    """Views of the slices; of an array of fewer than three axes, the whole."""
    return array if array.ndim > 2 else (array,)


def apply_lut(array: np.ndarray, table: np.ndarray, *, first_value: int) -> np.ndarray:
    """The array through a VOI LUT, in the table's own values; below and above its range the end entries hold.

    table         output value per input value
    first_value   the input value that the first entry belongs to

    >>> apply_lut(np.array([-5, 0, 1, 9]), np.array([10, 20, 30]), first_value=0).tolist()
    [10, 10, 20, 30]

    Source: DICOM PS3.3 C.11.2.1.1.
    """
    if table.ndim != 1 or not table.size:
        raise InputError(f"VOI LUT: expected a table of one axis with entries, got shape {table.shape}")
    index = np.clip(np.rint(np.asarray(array, dtype=np.float64)).astype(np.int64) - first_value, 0, table.size - 1)
    return np.asarray(table[index])


def scale_to_unit(array: np.ndarray) -> np.ndarray:
    """The array scaled so that its smallest value is 0 and its largest 1, float32; a constant array becomes 0."""
    values = np.asarray(array, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / (high - low), dtype=np.float32) if high > low else np.zeros_like(values)


def standardise(array: np.ndarray, *, mask: np.ndarray | None = None) -> np.ndarray:
    """The array with mean 0 and standard deviation 1, float32; a constant array becomes 0.

    mask   bool; mean and deviation come from these voxels only
    """
    values = np.asarray(array, dtype=np.float32)
    inside = values if mask is None else values[mask]
    if not inside.size:
        raise InputError("standardise: expected a mask with voxels in it, got an empty one")
    mean, deviation = float(inside.mean(dtype=np.float64)), float(inside.std(dtype=np.float64))
    return np.asarray((values - mean) / deviation if deviation > 0 else values * 0, dtype=np.float32)


def clip_percentiles(array: np.ndarray, low_percent: float, high_percent: float) -> np.ndarray:
    """The array with what lies below and above two percentiles set to them, float32."""
    if not 0 <= low_percent < high_percent <= 100:
        raise InputError(f"percentiles: expected 0 <= low < high <= 100, got {low_percent} and {high_percent}")
    values = np.asarray(array, dtype=np.float32)
    low, high = np.percentile(values, (low_percent, high_percent))
    return np.clip(values, np.float32(low), np.float32(high))


def to_gray(volume: Volume) -> Volume:
    """The volume as one channel, by BT.601 luma; a volume that is gray already comes back as it is.

    Integers stay integers, rounded half up. Source: ITU-R BT.601-7, 2.5.1.
    """
    if not volume.is_colour:
        return volume
    if volume.array.dtype == np.uint8:
        # Fixed point with a denominator of 2^16; three equal channels give their own value exactly.
        weights = np.array((19595, 38470, 7471), dtype=np.uint32)
        gray = ((volume.array @ weights + 32768) >> 16).astype(np.uint8)
        return volume.with_array(gray, unit="a.u.")
    luma = volume.array.astype(np.float64) @ LUMA
    if np.issubdtype(volume.array.dtype, np.integer):
        luma = np.floor(luma + 0.5)
    return volume.with_array(luma.astype(volume.array.dtype), unit="a.u.")


def robust_window(array: np.ndarray, *, low_percent: float = 0.5, high_percent: float = 99.5) -> Window:
    """A window from one percentile to another, so that a few extreme voxels do not darken the picture."""
    values = array.reshape(-1)
    values = values[:: max(1, values.size // _SAMPLE)]
    values = values[np.isfinite(values)]
    if not values.size:
        raise InputError("window: expected finite intensities, got none")
    low, high = (float(value) for value in np.percentile(values, (low_percent, high_percent)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT")


def display_window(volume: Volume) -> Window | None:
    """The window that shows this volume best: the header's first usable one, else robust percentiles.

    None where the stored values are a picture already (8 bits without a window, or colour).
    """
    if volume.is_colour or (volume.array.dtype == np.uint8 and not volume.facts.windows):
        return None
    for window in volume.facts.windows:
        if window.width >= 1 or (window.width > 0 and window.function != "LINEAR"):
            return window
    return robust_window(volume.array)


def display_uint8(volume: Volume, slice_index: int = 0, *, window: Window | None = None) -> np.ndarray:
    """One slice as a screen shows it: uint8, (rows, columns) for gray, (rows, columns, 3) for colour.

    window   replaces the header's; see PRESETS

    Raises InputError for a slice that is not there.
    """
    if not 0 <= slice_index < volume.grid.shape[0]:
        raise InputError(f"slice: expected 0 to {volume.grid.shape[0] - 1}, got {slice_index}")
    picture = volume.array[slice_index]
    chosen = window or display_window(volume)
    if chosen is None:
        return picture.copy() if picture.dtype == np.uint8 else _colour_to_uint8(volume, picture)
    return to_uint8(np.nan_to_num(picture), chosen)


def to_uint8(array: np.ndarray, window: Window) -> np.ndarray:
    """The array through a window, uint8 from 0 to 255, rounded half up."""
    shown = np.empty(array.shape, dtype=np.uint8)
    for part, values in zip(_slices(shown), _slices(array), strict=True):
        # Half a level up, then cut: the highest value would become 256.
        np.copyto(part, np.minimum(apply_window(values, window, low=0.5, high=255.5), 255), casting="unsafe")
    return shown


def _colour_to_uint8(volume: Volume, picture: np.ndarray) -> np.ndarray:
    """Colour of other depth scaled to eight bits: integers by their range, floats from 0 to 1 or to their maximum."""
    dtype = volume.array.dtype
    top = float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else max(1.0, float(np.nanmax(volume.array)))
    return np.asarray(cv2.convertScaleAbs(np.nan_to_num(picture).astype(np.float32), alpha=255 / top), dtype=np.uint8)
