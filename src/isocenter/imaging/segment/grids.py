"""Coarse and working grids over a large volume, kept small in memory."""

from dataclasses import dataclass

import cv2
import numpy as np

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class CoarseMap:
    """How a coarser grid lies on a fine one: every coarse voxel is a block of fine ones (the last may be smaller).

    factors      fine voxels per coarse one: slices, rows, columns (in-plane ones need not be whole)
    spacing_mm   of the coarse grid
    """

    fine_shape: tuple[int, int, int]
    shape: tuple[int, int, int]
    factors: Triple
    spacing_mm: Triple

    @classmethod
    def for_grid(cls, shape: tuple[int, ...], spacing_mm: Triple, wanted_mm: float) -> "CoarseMap":
        """A grid of about `wanted_mm`; finer directions are pooled, coarser ones left."""
        n_slices, rows, columns = shape
        step = max(1, int(wanted_mm / spacing_mm[0] + 0.3))
        n_coarse = -(-n_slices // step)
        n_rows = max(1, round(rows * min(1.0, spacing_mm[1] / wanted_mm)))
        n_columns = max(1, round(columns * min(1.0, spacing_mm[2] / wanted_mm)))
        factors = (float(step), rows / n_rows, columns / n_columns)
        sizes = (spacing_mm[0] * step, spacing_mm[1] * factors[1], spacing_mm[2] * factors[2])
        return cls((n_slices, rows, columns), (n_coarse, n_rows, n_columns), factors, sizes)

    @property
    def voxel_ml(self) -> float:
        """Volume of one coarse voxel."""
        return float(np.prod(self.spacing_mm)) / 1000

    def to_fine(self, index: np.ndarray) -> np.ndarray:
        """Fine (fractional) indices of coarse ones, (..., 3)."""
        factors = np.array(self.factors)
        return np.asarray((np.asarray(index, float) + 0.5) * factors - 0.5)

    def to_coarse(self, index: np.ndarray) -> np.ndarray:
        """Coarse (fractional) indices of fine ones, (..., 3)."""
        factors = np.array(self.factors)
        return np.asarray((np.asarray(index, float) + 0.5) / factors - 0.5)

    def lift(self, mask: np.ndarray, box: tuple[slice, slice, slice]) -> np.ndarray:
        """A coarse mask (bool) on a box of the fine grid, edges smoothed by linear interpolation."""
        corners = [np.arange(s.start, s.stop) for s in box]
        k, j, i = ((at + 0.5) / f - 0.5 for at, f in zip(corners, self.factors, strict=True))
        maps = np.meshgrid(i.astype(np.float32), j.astype(np.float32))
        k0 = np.clip(np.floor(k).astype(int), 0, self.shape[0] - 1)
        k1 = np.clip(k0 + 1, 0, self.shape[0] - 1)
        weight = np.clip(k - k0, 0, 1).astype(np.float32)
        needed = np.unique(np.concatenate([k0, k1]))
        border = cv2.BORDER_REPLICATE
        planes = {n: cv2.remap(mask[n].astype(np.float32), *maps, cv2.INTER_LINEAR, borderMode=border) for n in needed}
        out = np.empty(tuple(len(c) for c in corners), bool)
        for n in range(len(k0)):
            out[n] = (1 - weight[n]) * planes[k0[n]] + weight[n] * planes[k1[n]] > 0.5
        return out


def pool_mean(values: np.ndarray, coarse: CoarseMap) -> np.ndarray:
    """Block means on the coarse grid, float32."""
    step = int(coarse.factors[0])
    out = np.empty(coarse.shape, np.float32)
    size = (coarse.shape[2], coarse.shape[1])
    for n in range(coarse.shape[0]):
        block = values[n * step : (n + 1) * step]
        plane = block[0].astype(np.float32) if len(block) == 1 else block.mean(axis=0, dtype=np.float32)
        out[n] = plane if size == plane.shape[::-1] else cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return out


def smooth_volume(values: np.ndarray, sigma: Triple) -> np.ndarray:
    """Gaussian smoothing of a float32 volume, sigma in voxels per axis, edges repeated."""
    out = np.empty_like(values, np.float32)
    row_kernel, column_kernel = _kernel(sigma[1]), _kernel(sigma[2])
    for n in range(len(values)):
        out[n] = cv2.sepFilter2D(values[n], cv2.CV_32F, column_kernel, row_kernel, borderType=cv2.BORDER_REPLICATE)
    flat = out.reshape(len(out), -1)
    along = cv2.sepFilter2D(flat, cv2.CV_32F, np.ones(1), _kernel(sigma[0]), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(along.reshape(out.shape))


def _kernel(sigma: float) -> np.ndarray:
    """Samples of a Gaussian that sum to one."""
    radius = max(1, int(np.ceil(3.0 * sigma)))
    at = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (at / max(sigma, 1e-3)) ** 2)
    return np.asarray(weights / weights.sum())
