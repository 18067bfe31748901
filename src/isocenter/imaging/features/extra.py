"""Five features that published tables hold and the reference manual does not: diameters by plane, total energy, the
maximal correlation coefficient.

Source: van Griethuysen JJM et al. Cancer Res 2017;77:e104-e107, feature definitions of pyradiomics 3.0; Haralick RM et
al. IEEE Trans Syst Man Cybern 1973;3:610-621, feature 14.
"""

from collections.abc import Sequence

import numpy as np

from isocenter.imaging.features.roi import Roi
from isocenter.imaging.features.texture import HALF_3D, LevelRegion


def extra_features(roi: Roi, region: LevelRegion, aggregations: Sequence[str]) -> dict[str, float]:
    """The five features by tag; the correlation coefficient ("cm_mcc_3D_avg") only where "3D_avg" is asked for.

    The diameters are those between mesh vertices in one plane: of one slice ("slice"), of one row of each slice ("row")
    or of one column ("column").
    """
    found = dict.fromkeys(("morph_diam_slice", "morph_diam_row", "morph_diam_column", "stat_total_energy"), np.nan)
    if roi.spacing_mm is not None:
        for axis, name in enumerate(("slice", "row", "column")):
            found[f"morph_diam_{name}"] = _plane_diameter(roi.shape_mask, roi.spacing_mm, axis)
        found["stat_total_energy"] = float((roi.values**2).sum() * np.prod(roi.spacing_mm))
    if "3D_avg" in aggregations:
        found["cm_mcc_3D_avg"] = _maximal_correlation(region)
    return found


def _plane_diameter(mask: np.ndarray, spacing_mm: tuple[float, float, float], axis: int) -> float:
    """The largest distance in mm between two mesh vertices with the same place along an axis."""
    from isocenter.imaging.features.mesh_kernels import largest_square_in_planes

    others = [other for other in range(3) if other != axis]
    turned = np.ascontiguousarray(np.pad(np.moveaxis(mask, axis, 0), 1))
    return float(largest_square_in_planes(turned, spacing_mm[others[0]], spacing_mm[others[1]]) ** 0.5)


def _maximal_correlation(region: LevelRegion) -> float:
    """The mean over the 13 directions; 1 for a single level, NaN where there are no pairs."""
    from isocenter.imaging.features.eigenvalue_kernels import largest_eigenvalue
    from isocenter.imaging.features.texture_kernels import count_pairs

    counts = count_pairs(region.levels, region.places, region.offsets(HALF_3D), region.n_levels)
    found = []
    for matrix in counts:
        joint = matrix + matrix.T
        present = np.flatnonzero(joint.sum(axis=1))
        if present.size == 1:
            found.append(1.0)
        elif present.size:
            # The matrix of the definition is similar to the square of a symmetric one, whose first eigenvector is known
            # (the roots of the marginal shares, with eigenvalue 1) and is taken out.
            joint = joint[np.ix_(present, present)] / joint.sum()
            marginal = np.sqrt(joint.sum(axis=1))
            known = np.outer(marginal, marginal)
            found.append(float(largest_eigenvalue(joint / known - known)))
    return float(np.mean(found)) if found else np.nan
