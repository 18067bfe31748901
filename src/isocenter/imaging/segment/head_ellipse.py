"""From a head's probability map to an ellipse, its measures and how far to trust the fit.

The outline is taken between pixels, where the map crosses one half, and mapped to the source image before anything is
fitted. Where the head leaves the frame there is no outline, so the ellipse goes on beyond it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cc3d
import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.reading import QualityCheck


@dataclass(frozen=True, slots=True, eq=False)
class HeadEllipse:
    """An ellipse in an image: the unit circle u mapped to centre + axes @ u.

    centre   (row, column) in pixels
    axes     (2, 2), columns are the semi-axes as (row, column) vectors in pixels, the longer first, at right angles
    grain    pixels of this image per pixel of the map that the ellipse was fitted to
    """

    centre: np.ndarray
    axes: np.ndarray
    grain: float = 1.0

    @property
    def semi_axes(self) -> tuple[float, float]:
        """Longer and shorter half axis in pixels."""
        return float(np.linalg.norm(self.axes[:, 0])), float(np.linalg.norm(self.axes[:, 1]))

    def points(self, n_points: int = 180) -> np.ndarray:
        """Points of the outline, (n, 2) of (row, column)."""
        angle = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
        return np.asarray(self.centre + np.column_stack([np.cos(angle), np.sin(angle)]) @ self.axes.T)

    def mask(self, shape: tuple[int, int]) -> np.ndarray:
        """Pixels whose centre lies inside, bool, (rows, columns)."""
        j, i = np.mgrid[: shape[0], : shape[1]]
        place = np.stack([j - self.centre[0], i - self.centre[1]], axis=-1) @ np.linalg.inv(self.axes).T
        return np.asarray((place**2).sum(axis=-1) <= 1.0)

    def shrunk(self, margin_px: float) -> "HeadEllipse":
        """The ellipse with both half axes shorter by some pixels."""
        lengths = np.array(self.semi_axes)
        if margin_px >= lengths.min():
            raise InputError(f"ellipse: expected a margin below {lengths.min():.1f} px, got {margin_px:.1f}")
        return HeadEllipse(self.centre, self.axes * (1 - margin_px / lengths), self.grain)

    def mapped(self, matrix: np.ndarray, shift: np.ndarray) -> "HeadEllipse":
        """The ellipse after x -> matrix @ x + shift, again with its axes at right angles."""
        u, singular, _ = np.linalg.svd(matrix @ self.axes)
        grain = self.grain * float(np.sqrt(abs(np.linalg.det(matrix))))
        return HeadEllipse(matrix @ self.centre + shift, u * singular, grain)


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """An ellipse fitted to a probability map, in source pixels, with what speaks for it.

    quality   overlap (Jaccard of ellipse and map inside the frame), confidence (mean |2p-1| in and around the
              ellipse), visible (share of the outline inside the frame), whole (share of the map in the largest
              piece), roughness (rms distance outline to ellipse over the shorter half axis), area (share of frame),
              roundness (shorter over longer axis)
    """

    ellipse: HeadEllipse
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeadMeasures:
    """Sizes of the head in millimetres; uncertainties are one standard deviation."""

    head_circumference_mm: float
    biparietal_diameter_mm: float
    occipitofrontal_diameter_mm: float
    circumference_sd_mm: float
    biparietal_sd_mm: float
    occipitofrontal_sd_mm: float


def fit_head(logits: np.ndarray, to_source: np.ndarray, source_shape: tuple[int, int]) -> HeadFit | None:
    """The head's ellipse in source pixels; None where the map holds nothing that an ellipse could be fitted to.

    logits         (rows, columns) on the prepared pixels; positive inside
    to_source      (4, 4) of `Prepared`; prepared (k, j, i, 1) -> source (k, j, i, 1)
    source_shape   (rows, columns) of the image
    """
    inside = np.asarray(logits) > 0
    piece = largest_piece(inside)
    if piece.sum() < 64:
        return None
    outline = boundary_points(np.where(piece, np.maximum(logits, 1e-6), np.where(inside, -1e-6, logits)))
    matrix, shift = to_source[1:3, 1:3], to_source[1:3, 3]
    frame = np.array(source_shape)
    points = outline @ matrix.T + shift
    # Within two pixels of the frame the outline is the frame's, not the head's.
    points = points[((points > 1.5) & (points < frame - 2.5)).all(axis=1)]
    if len(points) < 24:
        return None
    ellipse = fit_outline(points, grain=float(np.sqrt(abs(np.linalg.det(matrix)))))
    if ellipse is None or ellipse.semi_axes[0] > 2 * frame.max() or ellipse.semi_axes[1] < 4:
        return None
    back = np.linalg.inv(matrix)
    drawn = ellipse.mapped(back, -back @ shift).mask((piece.shape[0], piece.shape[1]))
    quality = _quality(np.asarray(logits), inside, piece, drawn)
    outside_circle = np.linalg.norm((points - ellipse.centre) @ np.linalg.inv(ellipse.axes).T, axis=1) - 1
    around = ellipse.points()
    longer, shorter = ellipse.semi_axes
    quality |= {
        "visible": float(((around > -0.5) & (around < frame - 0.5)).all(axis=1).mean()),
        "roughness": float(np.sqrt(np.mean(outside_circle**2))),
        "roundness": shorter / longer,
    }
    return HeadFit(ellipse, quality)


def _quality(logits: np.ndarray, inside: np.ndarray, piece: np.ndarray, drawn: np.ndarray) -> dict[str, float]:
    """How well the map and the drawn ellipse agree, and how sure the map is."""
    union = int((drawn | inside).sum())
    region = cv2.dilate((drawn | inside).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return {
        "overlap": float((drawn & inside).sum() / max(1, union)),
        "confidence": float(np.abs(np.tanh(logits[region] / 2)).mean()),
        "whole": float(piece.sum() / max(1, inside.sum())),
        "area": float(piece.mean()),
    }


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest 8-connected piece with its holes filled, bool; all False where there is none."""
    if not mask.any():
        return np.zeros(mask.shape, dtype=bool)
    labels = cc3d.connected_components(mask.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    piece = np.pad(labels == sizes.argmax(), 1)
    outside = cc3d.connected_components((~piece).astype(np.uint8), connectivity=4)
    return np.asarray(outside != outside[0, 0])[1:-1, 1:-1]


def boundary_points(logits: np.ndarray) -> np.ndarray:
    """Places where the map crosses zero between neighbouring pixels, linear, (n, 2) of (row, column)."""
    points = []
    for axis in (0, 1):
        first = np.take(logits, np.arange(logits.shape[axis] - 1), axis=axis).astype(np.float64)
        second = np.take(logits, np.arange(1, logits.shape[axis]), axis=axis).astype(np.float64)
        place = np.argwhere((first > 0) != (second > 0)).astype(np.float64)
        before, after = first[(first > 0) != (second > 0)], second[(first > 0) != (second > 0)]
        place[:, axis] += before / (before - after)
        points.append(place)
    return np.concatenate(points)


def fit_outline(points: np.ndarray, *, n_rounds: int = 3, keep: float = 3.5, grain: float = 1.0) -> HeadEllipse | None:
    """The ellipse through points (n, 2), direct least squares, fitted again without what lies `keep` sigma off.

    None where no ellipse comes out. Source: Fitzgibbon, Pilu, Fisher, IEEE PAMI 1999;21:476-480 (as in OpenCV).
    """
    chosen = points
    ellipse = None
    for _ in range(n_rounds):
        if len(chosen) < 12:
            return None
        (column, row), (width, height), degrees = cv2.fitEllipseDirect(chosen[:, ::-1].astype(np.float32))
        if not np.isfinite([row, column, width, height]).all() or min(width, height) <= 0:
            return None
        turn = np.deg2rad(degrees)
        axes = np.array([[np.sin(turn) * width, np.cos(turn) * height], [np.cos(turn) * width, -np.sin(turn) * height]])
        axes = axes / 2 if width >= height else axes[:, ::-1] / 2
        ellipse = HeadEllipse(np.array([row, column], dtype=np.float64), axes, grain)
        off = np.abs(np.linalg.norm((points - ellipse.centre) @ np.linalg.inv(axes).T, axis=1) - 1)
        chosen = points[off <= keep * max(1e-3, float(np.sqrt(np.mean(np.sort(off)[: int(0.9 * len(off))] ** 2))))]
    return ellipse


def measure_head(
    ellipse: HeadEllipse, row_mm: float, column_mm: float, *, margin_px: float = 0.0, relative_sd: float = 0.0
) -> HeadMeasures:
    """Circumference, biparietal (shorter axis) and occipitofrontal diameter (longer axis) of the head.

    margin_px     by how many pixels of the model's map the masks that it learned lie outside the measured outline
    relative_sd   one standard deviation of the circumference over the circumference, as measured on held-out images

    Source: circumference by Ramanujan, Quarterly Journal of Mathematics 1914;45:350-372 (second approximation).
    """
    if min(row_mm, column_mm) <= 0:
        raise InputError(f"head: expected a positive pixel size, got {row_mm} x {column_mm} mm")
    in_mm = ellipse.shrunk(margin_px * ellipse.grain).mapped(np.diag((row_mm, column_mm)), np.zeros(2))
    longer, shorter = in_mm.semi_axes
    circumference = ellipse_perimeter(longer, shorter)
    sd = relative_sd * circumference
    # Each axis carries the circumference's relative error; independent errors of the two axes would need sqrt(2) more.
    axis_sd = relative_sd * np.sqrt(2)
    return HeadMeasures(
        circumference, 2 * shorter, 2 * longer, sd, float(axis_sd * 2 * shorter), float(axis_sd * 2 * longer)
    )


def ellipse_perimeter(longer: float, shorter: float) -> float:
    """Perimeter of an ellipse from its half axes, same unit; off by less than 1e-4 for the roundness of heads.

    >>> round(ellipse_perimeter(1.0, 1.0), 6)
    6.283185
    """
    h = ((longer - shorter) / (longer + shorter)) ** 2
    return float(np.pi * (longer + shorter) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))


def check_fit(quality: Mapping[str, float], limits: Mapping[str, float]) -> tuple[QualityCheck, ...]:
    """The fit's quality against the card's limits, named "min_<quality>" or "max_<quality>"."""
    checks = []
    for name, limit in sorted(limits.items()):
        side, _, key = name.partition("_")
        if side not in ("min", "max") or key not in quality:
            raise InputError(f"fit limit: expected min_ or max_ and one of {sorted(quality)}, got {name!r}")
        value = quality[key]
        checks.append(QualityCheck(key, value, limit, value >= limit if side == "min" else value <= limit))
    return tuple(checks)
