"""Is this an image at all? Checks that every task shares; each states its value and the limit it was held against.

The limits were set on real images (breast and fetal ultrasound, 64-pixel thumbnails, chest films, head CT, brain MR;
tests/imaging/test_quality.py) so that they pass, while blank frames, noise, dots and colour photographs do not. They
say nothing of whether an image is fit for a task; a task may add its own.
"""

from typing import Final

import cv2
import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.reading import QualityCheck
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import to_gray

MIN_SIDE: Final = 24.0
MIN_GRAY_LEVELS: Final = 16.0
MAX_MODE_SHARE: Final = 0.985
MAX_CLIPPED_SHARE: Final = 0.5
MIN_CORRELATION: Final = 0.1
MIN_SHARPNESS: Final = 0.02
MAX_COLOURED_SHARE: Final = 0.15
MAX_BLANK_SLICES: Final = 0.5
MAX_UNEVEN_SHARE: Final = 0.1
# A pixel counts as coloured when its channels differ by more than this share of the full range.
_CHROMA: Final = 0.15
# A tint gives each of this many brightness levels one colour, to within a spread, but for a few stray pixels.
_TINT_LEVELS: Final = 64
_TINT_SPREAD: Final = 0.04
_TINT_STRAYS: Final = 0.01
_MOST_SLICES: Final = 9
_BINS: Final = 256


def check_image(volume: Volume, *, gray_expected: bool = True) -> tuple[QualityCheck, ...]:
    """Every check of an image or a volume, passed or not; a volume is judged by up to nine of its slices.

    gray_expected   False where colour is what the task reads (fundus, blood films)
    """
    rows, columns = volume.grid.shape[1:]
    size = _at_least("size", min(rows, columns), MIN_SIDE)
    chosen = _chosen_slices(volume)
    sample = volume.array[chosen]
    broken = 1 - np.isfinite(sample).mean() if np.issubdtype(sample.dtype, np.floating) else 0.0
    finite = _at_most("finite", float(broken), 0.0)
    if not (size.passed and finite.passed):
        return size, finite
    gray = _luma(volume, chosen)
    checks = [size, finite, *_check_histogram(gray), *_check_structure(gray)]
    if volume.is_colour and gray_expected:
        checks.append(_at_most("colour", _coloured_share(sample), MAX_COLOURED_SHARE))
    return (*checks, *_check_stack(volume, gray))


def gray_slices(volume: Volume) -> np.ndarray:
    """Up to nine evenly spaced slices as gray, float32, (slices, rows, columns)."""
    return _luma(volume, _chosen_slices(volume))


def _chosen_slices(volume: Volume) -> np.ndarray:
    return np.unique(np.linspace(0, volume.grid.shape[0] - 1, _MOST_SLICES).round().astype(int))


def _check_histogram(gray: np.ndarray) -> tuple[QualityCheck, ...]:
    """Whether there are gray levels, one does not fill the picture, and the brightest is not saturation."""
    low, high = float(gray.min()), float(gray.max())
    scaled = np.zeros(gray.size, dtype=np.int64)
    if high > low:
        scaled = np.minimum((gray.ravel() - low) * (_BINS / (high - low)), _BINS - 1).astype(np.int64)
    counts = np.bincount(scaled, minlength=_BINS)
    return (
        _at_least("gray-levels", int(np.count_nonzero(counts)), MIN_GRAY_LEVELS),
        _at_most("blank", float(counts.max() / gray.size), MAX_MODE_SHARE),
        _at_most("clipping", float(np.mean(gray == high)), MAX_CLIPPED_SHARE),
    )


def _check_structure(gray: np.ndarray) -> tuple[QualityCheck, ...]:
    """Whether neighbours resemble each other (noise does not), and whether there is any fine detail (blur has none)."""
    correlations, details = [], []
    for picture in gray:
        centred = picture - picture.mean()
        power = float(np.mean(centred**2))
        if power <= 0:
            continue
        beside = float(np.mean(centred[:, 1:] * centred[:, :-1]) + np.mean(centred[1:] * centred[:-1])) / 2
        correlations.append(beside / power)
        details.append(float(cv2.Laplacian(picture, cv2.CV_32F).std()) / power**0.5)
    return (
        _at_least("structure", float(np.median(correlations)) if correlations else 0.0, MIN_CORRELATION),
        _at_least("sharpness", float(np.median(details)) if details else 0.0, MIN_SHARPNESS),
    )


def _check_stack(volume: Volume, gray: np.ndarray) -> tuple[QualityCheck, ...]:
    """For a stack: how many slices are blank, and how uneven its reader found them."""
    if volume.is_2d:
        return ()
    blank = float(np.mean([picture.min() == picture.max() for picture in gray]))
    checks = [_at_most("blank-slices", blank, MAX_BLANK_SLICES)]
    for note in volume.facts.notes:
        name, _, rest = note.partition(": ")
        if name == "slice-positions-rounded" and volume.grid.spacing_known:
            uneven = float(rest.removesuffix(" mm")) / float(volume.grid.spacing_mm[0])
            checks.append(_at_most("slice-spacing", uneven, MAX_UNEVEN_SHARE))
    return tuple(checks)


def _luma(volume: Volume, chosen: np.ndarray) -> np.ndarray:
    """The chosen slices as gray, float32."""
    if not volume.is_colour:
        return np.asarray(volume.array[chosen], dtype=np.float32)
    pictures = [to_gray(_one_slice(volume, int(k))).array[0] for k in chosen]
    return np.asarray(np.stack(pictures), dtype=np.float32)


def _one_slice(volume: Volume, k: int) -> Volume:
    return Volume(volume.array[k : k + 1], Grid.of_pixels((1, *volume.grid.shape[1:])), volume.unit)


def _coloured_share(sample: np.ndarray) -> float:
    """Share of pixels whose channels differ clearly; 0 for a gray picture that a scanner shows in one tint."""
    pixels = sample.reshape(-1, 3).astype(np.float32)
    pixels /= 255.0 if sample.dtype == np.uint8 else max(float(pixels.max()), 1e-9)
    return 0.0 if _is_tinted(pixels) else float(np.mean(np.ptp(pixels, axis=1) > _CHROMA))


def _is_tinted(pixels: np.ndarray) -> bool:
    """Whether every brightness has its one colour, as in a picture that was gray before it was tinted."""
    level = np.clip(np.rint(pixels.mean(axis=1) * _TINT_LEVELS), 0, _TINT_LEVELS).astype(np.int64)
    counts = np.maximum(np.bincount(level, minlength=_TINT_LEVELS + 1), 1)
    colours = [np.bincount(level, weights=channel, minlength=_TINT_LEVELS + 1) / counts for channel in pixels.T]
    apart = np.abs(pixels - np.stack(colours, axis=1)[level]).max(axis=1)
    return bool(np.mean(apart > _TINT_SPREAD) < _TINT_STRAYS)


def _at_least(name: str, value: float, limit: float) -> QualityCheck:
    return QualityCheck(name, float(value), limit, bool(value >= limit))


def _at_most(name: str, value: float, limit: float) -> QualityCheck:
    return QualityCheck(name, float(value), limit, bool(value <= limit))
