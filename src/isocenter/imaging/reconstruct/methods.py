"""The reconstructions by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from isocenter.imaging.reconstruct.algebraic import cgls, sart, sirt
from isocenter.imaging.reconstruct.compressed import cs
from isocenter.imaging.reconstruct.emission import mlem, osem
from isocenter.imaging.reconstruct.filtered import FilterName, filtered_back_projection
from isocenter.imaging.reconstruct.grappa import grappa
from isocenter.imaging.reconstruct.gridding import gridding
from isocenter.imaging.reconstruct.kspace import cg_sense, zero_filled
from isocenter.imaging.reconstruct.regularised import tv, wavelet
from isocenter.imaging.reconstruct.scans import ProjectionScan


def fbp(scan: ProjectionScan, *, window: FilterName = "ramlak", cutoff: float = 1.0) -> np.ndarray:
    """The image by filtered back-projection, (rows, columns) float32; see `filtered_back_projection`."""
    return filtered_back_projection(scan.sinogram, scan.geometry, window=window, cutoff=cutoff)


FROM_PROJECTIONS: Mapping[str, Callable[..., np.ndarray]] = MappingProxyType(
    {
        "fbp": fbp,
        "gridding": gridding,
        "sirt": sirt,
        "sart": sart,
        "cgls": cgls,
        "mlem": mlem,
        "osem": osem,
        "tv": tv,
        "wavelet": wavelet,
    }
)
FROM_KSPACE: Mapping[str, Callable[..., np.ndarray]] = MappingProxyType(
    {"zero-filled": zero_filled, "cg-sense": cg_sense, "grappa": grappa, "cs": cs}
)
