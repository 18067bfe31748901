"""Places in the lungs that could be nodules: bright blobs, at several scales.

Scale-space blob detection by the normalised Laplacian (Lindeberg, Int J Comput Vis 1998;30:79), with the Hessian's
eigenvalues telling blobs from tubes and sheets (Sato et al., Med Image Anal 1998;2:143).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from isocenter.imaging.segment.grids import CoarseMap, Triple, pool_mean, smooth_volume
from isocenter.imaging.segment.lungs import Lungs

# Radii that the scales answer to best (r = sqrt(3) sigma): 1.9 to 12 mm.
SIGMAS_MM = (1.1, 1.6, 2.3, 3.3, 4.7, 6.9)
_WORKING_MM = 1.0
_MIN_RESPONSE = 0.28
_MIN_ROUNDNESS = 0.25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bright blob.

    centre      fine index (k, j, i), fractional
    radius_mm   that the scale stands for
    response    1 is about a full-contrast sphere
    roundness   least over greatest eigenvalue of the Hessian: 1 a ball, 0 a tube or a sheet
    """

    centre: tuple[float, float, float]
    radius_mm: float
    response: float
    roundness: float


def find_candidates(hu: np.ndarray, spacing_mm: Triple, lungs: Lungs, *, top_hu: float = 30.0) -> tuple[Candidate, ...]:
    """Blobs in the lungs' hull, strongest first, neighbours merged."""
    box = hull_box(lungs)
    part = hu[box]
    working = CoarseMap.for_grid(part.shape, spacing_mm, _WORKING_MM)
    density = _density(part, box, working, lungs, top_hu)
    start = np.array([s.start for s in box])
    found: list[Candidate] = []
    for sigma in SIGMAS_MM:
        coarser = CoarseMap.for_grid(density.shape, working.spacing_mm, max(_WORKING_MM, sigma / 1.6))
        field = density if coarser.shape == density.shape else pool_mean(density, coarser)
        for index, response, roundness in _blobs(field, coarser.spacing_mm, sigma):
            at = working.to_fine(coarser.to_fine(np.array(index))) + start
            found.append(Candidate((float(at[0]), float(at[1]), float(at[2])), sigma * 1.732, response, roundness))
    return _merge(found, spacing_mm)


def hull_box(lungs: Lungs, margin_mm: float = 4.0) -> tuple[slice, slice, slice]:
    """The box of the lungs' hull on the fine grid."""
    coarse = lungs.coarse
    inside = lungs.hull > 0
    box = []
    for axis in range(3):
        at = np.nonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))[0]
        pad = margin_mm / coarse.spacing_mm[axis]
        low = int((at[0] - pad) * coarse.factors[axis])
        high = int(np.ceil((at[-1] + 1 + pad) * coarse.factors[axis]))
        box.append(slice(max(0, low), min(coarse.fine_shape[axis], high)))
    return box[0], box[1], box[2]


def _density(
    part: np.ndarray, box: tuple[slice, slice, slice], working: CoarseMap, lungs: Lungs, top_hu: float
) -> np.ndarray:
    """0 lung, 1 soft tissue on the working grid; 0 outside the hull, so that walls outshine nothing."""
    pooled = pool_mean(part, working)
    density = np.clip((pooled - lungs.lung_hu) / (top_hu - lungs.lung_hu), 0, 1)
    step = int(working.factors[0])
    inside = lungs.coarse.lift(lungs.hull > 0, box)
    for n in range(len(density)):
        plane = inside[min(n * step + step // 2, len(inside) - 1)].astype(np.uint8)
        density[n] *= cv2.resize(plane, density.shape[:0:-1], interpolation=cv2.INTER_NEAREST)
    return density


def _blobs(density: np.ndarray, spacing_mm: Triple, sigma: float) -> list[tuple[tuple[int, int, int], float, float]]:
    """Local maxima of the blob response at one scale: index, response, roundness."""
    smooth = smooth_volume(density, (sigma / spacing_mm[0], sigma / spacing_mm[1], sigma / spacing_mm[2]))
    response = np.zeros_like(smooth)
    for axis, step in enumerate(spacing_mm):
        inner = [slice(1, -1)] * 3
        low, high = list(inner), list(inner)
        low[axis], high[axis] = slice(0, -2), slice(2, None)
        response[tuple(inner)] += (2 * smooth[tuple(inner)] - smooth[tuple(low)] - smooth[tuple(high)]) / np.float32(
            (step / sigma) ** 2
        )
    ring = np.ones((3, 3), np.uint8)
    flat = np.stack([cv2.dilate(plane, ring) for plane in response])
    highest = flat.copy()
    np.maximum(highest[1:], flat[:-1], out=highest[1:])
    np.maximum(highest[:-1], flat[1:], out=highest[:-1])
    peaks = np.argwhere((response >= highest) & (response > _MIN_RESPONSE))
    if len(peaks) == 0:
        return []
    round_enough = []
    values = np.linalg.eigvalsh(_hessians(smooth, peaks, spacing_mm))
    for peak, eigen in zip(peaks, values, strict=True):
        roundness = float(eigen[2] / eigen[0]) if eigen[0] < 0 else 0.0
        if eigen[2] < 0 and roundness > _MIN_ROUNDNESS:
            at = (int(peak[0]), int(peak[1]), int(peak[2]))
            round_enough.append((at, float(response[at]), roundness))
    return round_enough


def _hessians(smooth: np.ndarray, peaks: np.ndarray, spacing_mm: Triple) -> np.ndarray:
    """Second derivatives at the peaks, (n, 3, 3), per mm2."""
    padded = smooth
    offsets = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    limits = np.array(padded.shape) - 1
    around = np.clip(peaks[:, None, :] + offsets[None], 0, limits)
    cube = padded[around[..., 0], around[..., 1], around[..., 2]].reshape(-1, 3, 3, 3).astype(float)
    out = np.empty((len(peaks), 3, 3))
    for a in range(3):
        low, high = [1, 1, 1], [1, 1, 1]
        low[a], high[a] = 0, 2
        second = cube[:, *low] + cube[:, *high] - 2 * cube[:, 1, 1, 1]
        out[:, a, a] = second / spacing_mm[a] ** 2
        for b in range(a + 1, 3):
            corners = 0.0
            for u in (0, 2):
                for v in (0, 2):
                    at = [1, 1, 1]
                    at[a], at[b] = u, v
                    corners = corners + cube[:, *at] * (1 if u == v else -1)
            out[:, a, b] = out[:, b, a] = corners / (4 * spacing_mm[a] * spacing_mm[b])
    return out


def _merge(found: list[Candidate], spacing_mm: Triple) -> tuple[Candidate, ...]:
    """The strongest of those that lie inside one another."""
    ordered = sorted(found, key=lambda c: -c.response)
    places = np.array([c.centre for c in ordered]).reshape(-1, 3) * spacing_mm
    radii = np.array([c.radius_mm for c in ordered])
    free = np.ones(len(ordered), bool)
    kept = []
    for n, candidate in enumerate(ordered):
        if free[n]:
            kept.append(candidate)
            reach = 0.6 * np.maximum(radii, radii[n])
            free &= ((places - places[n]) ** 2).sum(axis=1) >= reach**2
    return tuple(kept)
