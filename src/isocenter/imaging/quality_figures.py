"""How good an image is, in numbers that need no reference: noise, signal, contrast, ghosts, cut-off, burnt-in words."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components, largest_component
from isocenter.imaging.quality import gray_slices
from isocenter.imaging.segment.threshold import otsu_limit

# Immerkaer's operator: blind to planes, so that what it leaves is mostly noise; its norm is 6.
_NOISE_KERNEL: Final = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), np.float32)
_NOISE_NORM: Final = 6.0
_MAD: Final = 0.6745
_AIR_HU: Final = -1000.0
_LEAST_PIXELS: Final = 64
_LEAST_STRIP: Final = 4
# A letter: this high in pixels, not much wider than high, and not a filled box.
_LETTER_HEIGHTS: Final = (5, 40)
_LEAST_LETTERS: Final = 4


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """Figures of one image or volume; None where the image does not allow one.

    noise_sd       standard deviation of the noise in the foreground, in the image's unit, as if it were white
    snr            median of the foreground over the noise; in HU from air
    cnr            difference of the medians of foreground and background over the noise
    ghosting       of MR: signal in the air along one axis more than along the other, over twice the signal
    border_share   share of the outermost pixels that show the body: what the field of view cuts off
    letters        bright shapes in rows that look like burnt-in letters, in one slice
    """

    noise_sd: float | None
    snr: float | None
    cnr: float | None
    ghosting: float | None
    border_share: float | None
    letters: int


def describe_quality(volume: Volume) -> QualityFigures:
    """The figures of an image, each the median over up to nine slices; colour is judged by its brightness.

    Sources: noise, Immerkaer J. Comput Vis Image Underst 1996;64(2):300-302, here with the median of the foreground;
    ghosting, ACR Large and Medium Phantom Test Guidance, percent signal ghosting.
    """
    pictures = gray_slices(volume)
    floor = _AIR_HU if volume.unit == "HU" else 0.0
    sizes = [_signal_of(picture, floor) for picture in pictures]
    ghosts = [_ghosting_of(picture) for picture in pictures] if volume.modality == "MR" else []
    borders = [_border_share(picture) for picture in pictures]
    noise_sd, snr, cnr = (_middle([size[n] for size in sizes if size is not None]) for n in range(3))
    return QualityFigures(
        noise_sd,
        snr,
        cnr,
        _middle([ghost for ghost in ghosts if ghost is not None]),
        _middle([border for border in borders if border is not None]),
        max(count_letters(picture) for picture in pictures),
    )


def noise_of(picture: np.ndarray, where: np.ndarray) -> float:
    """Standard deviation of white noise in a part of a picture; smaller than the truth where noise is smoothed.

    picture   (rows, columns), finite
    where     bool; the places whose neighbourhood is judged
    """
    rest = cv2.filter2D(picture.astype(np.float32), cv2.CV_32F, _NOISE_KERNEL)[where]
    return float(np.median(np.abs(rest))) / (_MAD * _NOISE_NORM)


def count_letters(picture: np.ndarray) -> int:
    """How many bright shapes stand in rows like letters: of one brightness, one height, on one line, close together.

    Fewer than four in a row are not counted (side markers), nor is anything that is not the brightest of the picture.
    """
    low, high = float(picture.min()), float(picture.max())
    if high <= low:
        return 0
    labels, count = label_components((picture >= high - 0.1 * (high - low))[None], connectivity=26)
    if not 0 < count <= 5000:
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats((labels[0] > 0).astype(np.uint8), connectivity=8)
    left, top, width, height, area = stats[1:].T
    filled = area / (width * height)
    fits = (height >= _LETTER_HEIGHTS[0]) & (height <= _LETTER_HEIGHTS[1]) & (width <= 1.5 * height)
    fits &= (width >= 2) & (filled > 0.12) & (filled < 0.85)
    found = sorted(zip((top + height)[fits], left[fits], width[fits], height[fits], strict=True))
    return _count_in_rows([tuple(int(value) for value in shape) for shape in found])


def _count_in_rows(shapes: list[tuple[int, ...]]) -> int:
    """Shapes (bottom, left, width, height) that stand in rows of four and more, each shape in one row only."""
    total, rest = 0, shapes
    while rest:
        line = max({shape[0] for shape in rest}, key=lambda bottom: sum(abs(s[0] - bottom) <= 1 for s in rest))
        row = sorted((shape[1:] for shape in rest if abs(shape[0] - line) <= 1), key=lambda shape: shape[0])
        rest = [shape for shape in rest if abs(shape[0] - line) > 1]
        run = 1
        for before, after in pairwise([*row, (10**9, 0, 0)]):
            alike = abs(after[2] - before[2]) <= 0.4 * max(after[2], before[2])
            if alike and after[0] - before[0] - before[1] <= 2 * after[2]:
                run += 1
                continue
            total += run if run >= _LEAST_LETTERS else 0
            run = 1
    return total


def _signal_of(picture: np.ndarray, floor: float) -> tuple[float, float, float] | None:
    """Noise, SNR and CNR of one slice; None for a picture of one level."""
    body = _body(picture)
    if body is None:
        return None
    inner = cv2.erode(body.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    where = inner if np.count_nonzero(inner) >= _LEAST_PIXELS else body
    noise = noise_of(picture, where)
    if noise <= 0:
        return None
    signal, behind = float(np.median(picture[where])), float(np.median(picture[~body]))
    return noise, abs(signal - floor) / noise, abs(signal - behind) / noise


def _body(picture: np.ndarray) -> np.ndarray | None:
    """What is brighter than Otsu's limit; None where that is hardly anything or nearly all."""
    if picture.min() == picture.max():
        return None
    body = np.asarray(picture > otsu_limit(picture))
    n_pixels = int(np.count_nonzero(body))
    return body if _LEAST_PIXELS <= n_pixels <= picture.size - _LEAST_PIXELS else None


def _ghosting_of(picture: np.ndarray) -> float | None:
    """Percent signal ghosting as a share; None where the air is too narrow on any side."""
    bright = _body(picture)
    if bright is None:
        return None
    body = largest_component(bright[None])[0]
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    strips = (
        picture[: max(top - 1, 0), left:right], picture[bottom + 1 :, left:right],
        picture[top:bottom, : max(left - 1, 0)], picture[top:bottom, right + 1 :],
    )  # fmt: skip
    if min(min(strip.shape) for strip in strips) < _LEAST_STRIP:
        return None
    means = [float(strip.mean()) for strip in strips]
    signal = float(np.mean(picture[body]))
    return abs(means[0] + means[1] - means[2] - means[3]) / (2 * signal) if signal > 0 else None


def _border_share(picture: np.ndarray) -> float | None:
    """Share of the outermost ring of pixels that is body."""
    body = _body(picture)
    if body is None:
        return None
    ring = np.concatenate((body[0], body[-1], body[1:-1, 0], body[1:-1, -1]))
    return float(ring.mean())


def _middle(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None
