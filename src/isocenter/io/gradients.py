"""Diffusion gradients between our LPS vectors and FSL's .bval and .bvec."""

from pathlib import Path
from typing import Final

import numpy as np

_PAIR_BYTES: Final = 1_000_000


def _axes(affine: np.ndarray) -> np.ndarray:
    """Unit vectors of (i, j, k) as columns, LPS; i turned round where the voxels are right-handed.

    Source: FSL's FDT guide: gradients lie along the voxel axes, with the first axis flipped where the image's
    determinant is positive ("neurological" storage).
    """
    axes = affine[:3, [2, 1, 0]] / np.linalg.norm(affine[:3, [2, 1, 0]], axis=0)
    # LPS to RAS turns two axes: the determinant keeps its sign.
    if np.linalg.det(axes) > 0:
        axes = axes * (-1, 1, 1)
    return np.asarray(axes)


def to_fsl(bvecs: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """FSL's vectors, shape (n, 3), of LPS unit vectors; affine maps (k, j, i) to LPS."""
    vectors = bvecs @ np.linalg.inv(_axes(affine)).T
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))


def from_fsl(vectors: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """LPS unit vectors of FSL's, the inverse of `to_fsl`."""
    turned = vectors @ _axes(affine).T
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    return np.asarray(np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0))


def format_fsl(bvals: np.ndarray, bvecs: np.ndarray) -> tuple[str, str]:
    """The text of a .bval (one line) and of a .bvec (three lines)."""
    values = " ".join(f"{value:g}" for value in bvals) + "\n"
    vectors = "".join(" ".join(f"{part + 0.0:.6f}" for part in row) + "\n" for row in bvecs.T)
    return values, vectors


def read_fsl(stem: Path, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """b-values (n,) and FSL vectors (n, 3) from `stem`.bval and .bvec; None where there are none that fit."""
    try:
        texts = [_read_text(stem.with_name(stem.name + suffix)) for suffix in (".bval", ".bvec")]
        bvals = np.array([float(word) for word in texts[0].split()])
        bvecs = np.array([[float(word) for word in line.split()] for line in texts[1].splitlines() if line.strip()])
    except (OSError, ValueError):
        return None
    if bvals.shape != (count,) or bvecs.shape not in ((3, count), (count, 3)) or not np.isfinite(bvecs).all():
        return None
    return bvals, bvecs.T if bvecs.shape == (3, count) else bvecs


def _read_text(path: Path) -> str:
    if path.stat().st_size > _PAIR_BYTES:
        return ""
    return path.read_text(encoding="ascii")
