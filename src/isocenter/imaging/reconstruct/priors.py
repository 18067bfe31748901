"""What is expected of an image, each as a function (image, strength) -> image a little more like that.

Any denoiser of this form can take part (plug and play; Venkatakrishnan et al., GlobalSIP 2013:945).
"""

from collections.abc import Callable

import numpy as np

from isocenter.imaging.reconstruct.wavelets import n_levels, wavelet_forward, wavelet_inverse

Prior = Callable[[np.ndarray, float], np.ndarray]


class TotalVariation:
    """Few edges: the proximal map of strength times isotropic total variation, and of x >= 0 where asked.

    Keeps the dual field between calls, so that calls on slowly changing images take few steps.

    Source: Beck & Teboulle, IEEE Trans Image Process 2009;18:2419 (fast gradient projection).
    """

    def __init__(self, *, is_positive: bool = True, n_steps: int = 10) -> None:
        self._lowest = np.float32(0.0 if is_positive else -np.inf)
        self._n_steps = n_steps
        self._dual: np.ndarray | None = None

    def __call__(self, image: np.ndarray, strength: float | np.ndarray) -> np.ndarray:
        """The image nearest to this one at the price of its total variation, (rows, columns) float32.

        strength   a number, or a map of the image's shape: how little a pixel holds to its value
        """
        from isocenter.imaging.reconstruct.kernels_tv import dual_step, primal_of_dual

        image = np.ascontiguousarray(image, np.float32)
        if np.max(strength) <= 0:
            return np.asarray(np.maximum(image, self._lowest))
        strengths = np.ascontiguousarray(np.broadcast_to(np.asarray(strength, np.float32), image.shape))
        if self._dual is None or self._dual.shape[1:] != image.shape:
            self._dual = np.zeros((2, *image.shape), np.float32)
        before, ahead = self._dual.copy(), self._dual.copy()
        out = np.empty_like(image)
        pace = 1.0
        for _ in range(self._n_steps):
            primal_of_dual(image, ahead[0], ahead[1], strengths, self._lowest, out)
            faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
            dual_step(out, ahead, before, strengths, np.float32((pace - 1) / faster))
            pace = faster
        self._dual = before
        primal_of_dual(image, before[0], before[1], strengths, self._lowest, out)
        return out


class WaveletSparsity:
    """Few wavelet coefficients: soft thresholds, the grid moved at random between calls so that no blocks show.

    Source: Figueiredo & Nowak, IEEE Trans Image Process 2003;12:906; cycle spinning: Coifman & Donoho 1995.
    """

    def __init__(self, rng: np.random.Generator, *, is_positive: bool = False) -> None:
        self._rng = rng
        self._is_positive = is_positive

    def __call__(self, image: np.ndarray, strength: float) -> np.ndarray:
        """The image with its detail coefficients (real or complex) drawn towards zero by `strength`."""
        levels = n_levels(image.shape)
        shift = self._rng.integers(0, 2**levels, 2)
        moved = np.roll(image, shift, axis=(0, 1))
        coarse, details = wavelet_forward(moved, levels)
        thin = [soft_threshold(detail, strength) for detail in details]
        out = np.roll(wavelet_inverse(coarse, thin, moved.shape), -shift, axis=(0, 1))
        return np.asarray(np.maximum(out, 0) if self._is_positive else out)


def soft_threshold(values: np.ndarray, threshold: float) -> np.ndarray:
    """Each value moved towards zero by the threshold, to zero where it is smaller; complex values keep their phase."""
    size = np.abs(values)
    return np.asarray(values * (np.maximum(size - threshold, 0) / np.maximum(size, np.finfo(size.dtype).tiny)))


def total_variation(image: np.ndarray) -> float:
    """The sum of the lengths of the image's gradient, forward differences."""
    down = np.diff(image, axis=0, append=image[-1:])
    right = np.diff(image, axis=1, append=image[:, -1:])
    return float(np.sqrt(np.abs(down) ** 2 + np.abs(right) ** 2).sum())
