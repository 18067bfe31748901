"""Features of matrices that count grey levels against a size: run lengths, zone sizes, zone distances, dependences.

The four families share sixteen formulas; only the meaning of the size differs.

Source: IBSI reference manual, grey level run length (TP0I), size zone (9SAK), distance zone (VMDZ) and neighbouring
grey level dependence (REK0) based features.
"""

import numpy as np

# Small, large, low, high and their products; non-uniformities; share; variances; entropy; energy.
N_FEATURES = 17
RUN_TAGS = (
    "sre", "lre", "lgre", "hgre", "srlge", "srhge", "lrlge", "lrhge", "glnu", "glnu_norm", "rlnu", "rlnu_norm",
    "r_perc", "gl_var", "rl_var", "rl_entr",
)  # fmt: skip
SIZE_TAGS = (
    "sze", "lze", "lgze", "hgze", "szlge", "szhge", "lzlge", "lzhge", "glnu", "glnu_norm", "zsnu", "zsnu_norm",
    "z_perc", "gl_var", "zs_var", "zs_entr",
)  # fmt: skip
DISTANCE_TAGS = (
    "sde", "lde", "lgze", "hgze", "sdlge", "sdhge", "ldlge", "ldhge", "glnu", "glnu_norm", "zdnu", "zdnu_norm",
    "z_perc", "gl_var", "zd_var", "zd_entr",
)  # fmt: skip
DEPENDENCE_TAGS = (
    "lde", "hde", "lgce", "hgce", "ldlge", "ldhge", "hdlge", "hdhge", "glnu", "glnu_norm", "dcnu", "dcnu_norm",
    "dc_perc", "gl_var", "dc_var", "dc_entr", "dc_energy",
)  # fmt: skip


def emphasis_features(counts: np.ndarray, *, n_voxels: float, sizes: np.ndarray | None = None) -> np.ndarray:
    """The 17 features of one matrix, in the order of the tags above; NaN for a matrix without counts.

    counts     (levels, sizes)
    n_voxels   of the region, counted once per direction that was merged into the matrix
    sizes      what each column stands for; 1, 2, … if left out
    """
    total = float(counts.sum())
    if not total:
        return np.full(N_FEATURES, np.nan)
    level = np.arange(1, counts.shape[0] + 1, dtype=np.float64)
    size = np.arange(1, counts.shape[1] + 1, dtype=np.float64) if sizes is None else np.asarray(sizes, dtype=np.float64)
    by_level, by_size = counts.sum(axis=1), counts.sum(axis=0)
    shares = counts[counts > 0] / total
    level_mean, size_mean = float(level @ by_level) / total, float(size @ by_size) / total
    return np.array((
        float(by_size @ size**-2) / total, float(by_size @ size**2) / total,
        float(by_level @ level**-2) / total, float(by_level @ level**2) / total,
        float(level**-2 @ counts @ size**-2) / total, float(level**2 @ counts @ size**-2) / total,
        float(level**-2 @ counts @ size**2) / total, float(level**2 @ counts @ size**2) / total,
        float(by_level @ by_level) / total, float(by_level @ by_level) / total**2,
        float(by_size @ by_size) / total, float(by_size @ by_size) / total**2,
        total / n_voxels,
        float((level - level_mean) ** 2 @ by_level) / total, float((size - size_mean) ** 2 @ by_size) / total,
        float(-(shares * np.log2(shares)).sum()), float((shares**2).sum()),
    ))  # fmt: skip
