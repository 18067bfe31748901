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
    from isocenter.imaging.features.texture_kernels import diagonal_sums

    features = np.full((len(counts), len(TAGS)), np.nan)
    totals = counts.sum(axis=(1, 2))
    filled = np.flatnonzero(totals)
    if filled.size:
        joint = (counts[filled] + np.transpose(counts[filled], (0, 2, 1))) / (2 * totals[filled, None, None])
        features[filled] = _features_of(joint, *diagonal_sums(joint))
    return features


def _features_of(joint: np.ndarray, differences: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The features of matrices of probabilities, (matrices, 25)."""
    n_levels = joint.shape[1]
    level = np.arange(1, n_levels + 1, dtype=np.float64)
    marginal = joint.sum(axis=2)
    mean = marginal @ level
    variance = ((level - mean[:, None]) ** 2 * marginal).sum(axis=1)
    k, s = np.arange(n_levels, dtype=np.float64), np.arange(2, 2 * n_levels + 1, dtype=np.float64)
    difference_mean, sum_mean = differences @ k, sums @ s
    cluster = s - 2 * mean[:, None]
    autocorrelation = np.einsum("i,nij,j->n", level, joint, level)
    joint_entropy, entropy = _entropy(joint), _entropy(marginal)
    # The joint entropy of independent levels, and as seen through the joint probabilities: both are twice the entropy.
    independent = 2 * entropy
    spread = np.where(variance > 1e-12 * np.maximum(1.0, mean**2), variance, np.nan)
    correlation = (autocorrelation - mean**2) / spread
    told = (joint_entropy - independent) / np.where(entropy > 0, entropy, np.nan)
    return np.column_stack((
        joint.max(axis=(1, 2)), mean, variance, joint_entropy,
        difference_mean, ((k - difference_mean[:, None]) ** 2 * differences).sum(axis=1), _entropy(differences),
        sum_mean, ((s - sum_mean[:, None]) ** 2 * sums).sum(axis=1), _entropy(sums),
        (joint**2).sum(axis=(1, 2)), differences @ k**2, difference_mean,
        differences @ (1 / (1 + k)), differences @ (1 / (1 + k / n_levels)),
        differences @ (1 / (1 + k**2)), differences @ (1 / (1 + (k / n_levels) ** 2)),
        differences[:, 1:] @ k[1:] ** -2,
        np.where(np.isnan(correlation), 1.0, correlation), autocorrelation,
        (cluster**2 * sums).sum(axis=1), (cluster**3 * sums).sum(axis=1), (cluster**4 * sums).sum(axis=1),
        np.where(np.isnan(told), 0.0, told),
        np.sqrt(np.maximum(0.0, 1 - np.exp(-2 * (independent - joint_entropy)))),
    ))  # fmt: skip


def _entropy(shares: np.ndarray) -> np.ndarray:
    """In bits, of each matrix."""
    flat = shares.reshape(len(shares), -1)
    return np.asarray(-(flat * np.log2(np.where(flat > 0, flat, 1.0))).sum(axis=1))
