"""Activity from counts by maximum likelihood: MLEM, and OSEM, which takes some of the views at a time.

More iterations of the bare likelihood only fit more noise, so an edge-keeping penalty is on unless it is set to zero.
"""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.priors import TotalVariation
from isocenter.imaging.reconstruct.scans import ProjectionScan, require_not_negative

_TINY = 1e-9
# The least counts that a ray is expected to hold when its noise is judged.
_FEWEST = 0.5
# Own measurement: 0.8 was best on heads, 1.2 on discs, over 30 to 120 views and 2e4 to 1e6 counts.
_PIVOT = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Subset:
    """Some views with what was counted in them."""

    operator: Projection
    counts: np.ndarray
    factor: np.ndarray
    background: np.ndarray
    seen: np.ndarray


def mlem(scan: ProjectionScan, *, iterations: int = 60, weight: float | None = None) -> np.ndarray:
    """The activity that makes the counts most likely, (rows, columns) float32, never negative.

    weight   of the total variation against the log-likelihood; None takes it from the counts, 0 is bare MLEM

    Raises InputError for negative counts.
    Source: Shepp & Vardi, IEEE Trans Med Imaging 1982;1:113; with total variation: Sawatzky et al., IEEE NSS 2008:5133.
    """
    return _maximise(scan, iterations, weight, 1)


def osem(
    scan: ProjectionScan, *, iterations: int = 8, subsets: int | None = None, weight: float | None = None
) -> np.ndarray:
    """The activity by ordered subsets, (rows, columns) float32: close to `mlem` in a fraction of its time.

    iterations   passes over all views
    subsets      of the views; None is a subset for each 8 views, 12 at most

    Source: Hudson & Larkin, IEEE Trans Med Imaging 1994;13:601.
    """
    n_views = len(scan.geometry.angles_deg)
    n_subsets = max(1, min(12, n_views // 8)) if subsets is None else subsets
    if not 1 <= n_subsets <= n_views:
        raise InputError(f"subsets: expected 1 to {n_views}, the number of views, got {n_subsets}")
    return _maximise(scan, iterations, weight, n_subsets)


def _maximise(scan: ProjectionScan, iterations: int, weight: float | None, n_subsets: int) -> np.ndarray:
    require_not_negative(iterations=iterations, weight=weight)
    if scan.sinogram.min() < 0:
        raise InputError(
            f"sinogram: expected counts of 0 or more, got {scan.sinogram.min():g}; use fbp or tv for line integrals"
        )
    parts = _split(scan, n_subsets)
    prior = TotalVariation()
    image = _start(scan, parts)
    for done in range(iterations):
        image = _sweep(image, parts, prior, weight, done)
    return image


def _split(scan: ProjectionScan, n_subsets: int) -> list[_Subset]:
    """The views in subsets that are each spread over all angles."""
    whole = Projection(scan.geometry)
    counts, factor, background = (
        np.broadcast_to(np.asarray(each, np.float32), scan.geometry.shape)
        for each in (scan.sinogram, scan.factor, scan.background)
    )
    parts = []
    for first in range(n_subsets):
        views = np.arange(first, len(counts), n_subsets)
        operator = whole if n_subsets == 1 else whole.views(views)
        seen = operator.adjoint(np.ascontiguousarray(factor[views]))
        parts.append(_Subset(operator, counts[views], factor[views], background[views], seen))
    return parts


def _start(scan: ProjectionScan, parts: list[_Subset]) -> np.ndarray:
    """A flat image with the right total."""
    seen = sum(float(part.seen.sum()) for part in parts)
    net = max(float(np.sum(scan.sinogram)) - float(np.sum(np.broadcast_to(scan.background, scan.geometry.shape))), 0.0)
    return np.full(scan.geometry.size, max(net, _TINY) / max(seen, _TINY), np.float32)


def _sweep(
    image: np.ndarray, parts: list[_Subset], prior: TotalVariation, weight: float | None, done: int
) -> np.ndarray:
    """One update by each subset, each followed by the prior in the metric of the update."""
    for part in parts:
        expected = part.factor * part.operator.forward(image) + part.background
        ratio = np.divide(part.counts, expected, out=np.zeros_like(expected), where=expected > _TINY)
        gain = part.operator.adjoint(part.factor * ratio)
        moved = image * np.divide(gain, part.seen, out=np.zeros_like(gain), where=part.seen > _TINY)
        if weight is None or weight > 0:
            # A subset sees its share of the counts, so the prior acts with that share of its weight.
            now = _weight_of(part, expected, image, len(parts)) if weight is None else weight / len(parts)
            loose = np.divide(np.maximum(image, _TINY), part.seen, out=np.zeros_like(image), where=part.seen > _TINY)
            moved = prior(moved, now * loose)
        image = moved
    return image


def _weight_of(part: _Subset, expected: np.ndarray, image: np.ndarray, n_subsets: int) -> float:
    """The weight at which the prior outweighs the noise in the likelihood's slope.

    The same pivot as for least squares, each ray's variance being its expected counts; more where the misfit is more
    than counting explains.
    """
    geometry = part.operator.geometry
    floor = np.maximum(expected, _FEWEST)
    excess = max(1.0, float(np.mean((part.counts - expected) ** 2 / floor)))
    variance = geometry.pixel_mm * part.operator.adjoint(part.factor**2 / floor)
    mean = float(np.sum(variance * image) / max(float(np.sum(image)), _TINY))
    return _PIVOT * float(np.sqrt(excess * max(mean, 0.0) / n_subsets))
