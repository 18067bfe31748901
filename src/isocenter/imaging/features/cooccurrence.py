"""Features of grey level co-occurrence matrices.

Source: IBSI reference manual, grey level co-occurrence based features (LFYI).
"""

import numpy as np

TAGS = (
    "joint_max", "joint_avg", "joint_var", "joint_entr", "diff_avg", "diff_var", "diff_entr", "sum_avg", "sum_var",
    "sum_entr", "energy", "contrast", "dissimilarity", "inv_diff", "inv_diff_norm", "inv_diff_mom", "inv_diff_mom_norm",
    "inv_var", "corr", "auto_corr", "clust_tend", "clust_shade", "clust_prom", "info_corr1", "info_corr2",
)  # fmt: skip


def cooccurrence_features(counts: np.ndarray) -> np.ndarray:
    """The 25 features in the order of TAGS of each matrix, (matrices, 25); NaN rows for matrices without pairs.

    counts   (matrices, levels, levels): how often a level has another one as its neighbour in one direction; both
             senses of the direction are added here

    One level alone correlates fully with itself: correlation 1; it tells nothing, so that the first measure of
    information correlation is 0.
    """
    symmetric = counts + np.transpose(counts, (0, 2, 1))
    totals = symmetric.sum(axis=(1, 2))
    features = np.full((len(counts), len(TAGS)), np.nan)
    for n in np.flatnonzero(totals):
        features[n] = _features_of(symmetric[n] / totals[n])
    return features


def _features_of(joint: np.ndarray) -> tuple[float, ...]:
    """The features of one matrix of probabilities."""
    n_levels = len(joint)
    level = np.arange(1, n_levels + 1, dtype=np.float64)
    marginal = joint.sum(axis=1)
    mean = float(level @ marginal)
    variance = float((level - mean) ** 2 @ marginal)
    index = np.arange(n_levels)
    differences = np.bincount(np.abs(index[:, None] - index).ravel(), joint.ravel(), n_levels)
    sums = np.bincount((index[:, None] + index).ravel(), joint.ravel(), 2 * n_levels - 1)
    k, s = np.arange(n_levels, dtype=np.float64), np.arange(2, 2 * n_levels + 1, dtype=np.float64)
    difference_mean, sum_mean = float(k @ differences), float(s @ sums)
    contrast = float(k**2 @ differences)
    cluster = s - 2 * mean
    autocorrelation = float(level @ joint @ level)
    joint_entropy, entropy = _entropy(joint), _entropy(marginal)
    # The joint entropy of independent levels, and as seen through the joint probabilities: both are twice the entropy.
    independent = 2 * entropy
    spread = variance > 1e-12 * max(1.0, mean**2)
    return (
        float(joint.max()), mean, variance, joint_entropy,
        difference_mean, float((k - difference_mean) ** 2 @ differences), _entropy(differences),
        sum_mean, float((s - sum_mean) ** 2 @ sums), _entropy(sums),
        float((joint**2).sum()), contrast, difference_mean,
        float((differences / (1 + k)).sum()), float((differences / (1 + k / n_levels)).sum()),
        float((differences / (1 + k**2)).sum()), float((differences / (1 + (k / n_levels) ** 2)).sum()),
        float((differences[1:] / k[1:] ** 2).sum()),
        (autocorrelation - mean**2) / variance if spread else 1.0, autocorrelation,
        float(cluster**2 @ sums), float(cluster**3 @ sums), float(cluster**4 @ sums),
        (joint_entropy - independent) / entropy if entropy > 0 else 0.0,
        float(np.sqrt(max(0.0, 1 - np.exp(-2 * (independent - joint_entropy))))),
    )  # fmt: skip


def _entropy(shares: np.ndarray) -> float:
    """In bits."""
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())
