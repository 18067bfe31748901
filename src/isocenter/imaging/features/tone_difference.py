"""Features of the neighbourhood grey tone difference matrix.

Source: IBSI reference manual, neighbourhood grey tone difference based features (IPET); Amadasun M, King R. IEEE Trans
Syst Man Cybern 1989;19:1264-1274.
"""

import numpy as np

TAGS = ("coarseness", "contrast", "busyness", "complexity", "strength")
# What coarseness is where no voxel differs from its neighbours (IBSI reference manual, QCDE).
_COARSEST = 1e6


def tone_difference_features(counted: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """The 5 features in the order of TAGS; NaN where no voxel has a neighbour.

    counted       (levels,) voxels of a level that have neighbours
    differences   (levels,) sums of their absolute differences from their neighbours' mean
    """
    total = float(counted.sum())
    if not total:
        return np.full(len(TAGS), np.nan)
    present = np.flatnonzero(counted)
    level, share, sums = present + 1.0, counted[present] / total, differences[present]
    weighted = float(share @ sums)
    n_levels = len(present)
    gaps = level[:, None] - level
    pairs = share[:, None] + share
    all_sums = float(sums.sum())
    spread = float((share[:, None] * share * gaps**2).sum()) / max(n_levels * (n_levels - 1), 1)
    unlike = float(np.abs((level * share)[:, None] - level * share).sum())
    product = share * sums
    return np.array((
        1 / weighted if weighted else _COARSEST,
        spread * all_sums / total,
        weighted / unlike if unlike else 0.0,
        float((np.abs(gaps) * (product[:, None] + product) / pairs).sum()) / total,
        float((pairs * gaps**2).sum()) / all_sums if all_sums else 0.0,
    ))  # fmt: skip
