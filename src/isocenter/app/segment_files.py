"""An image file segmented into a file of labels: `isocenter segment`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from isocenter.app.image_files import open_image, open_regions, require_target, save_labels
from isocenter.app.parameters import call_with, describe_parameters
from isocenter.core.errors import InputError
from isocenter.core.mask import LabelMap, Mask
from isocenter.core.volume import Volume
from isocenter.imaging.segment.adaptive import adaptive_threshold
from isocenter.imaging.segment.cluster import cluster_gmm, cluster_kmeans, superpixels_slic
from isocenter.imaging.segment.contour import active_contour
from isocenter.imaging.segment.edges import find_edges
from isocenter.imaging.segment.graph_cut import graph_cut
from isocenter.imaging.segment.level_set import level_set
from isocenter.imaging.segment.methods import multi_otsu_volume, otsu_volume, threshold_volume
from isocenter.imaging.segment.pet_segment import fixed_uptake, share_of_maximum, steepest_uptake
from isocenter.imaging.segment.random_walker import random_walker
from isocenter.imaging.segment.region import Region
from isocenter.imaging.segment.region_growing import region_growing
from isocenter.imaging.segment.texture import segment_texture
from isocenter.imaging.segment.watershed import watershed


def _kmeans(volume: Volume, *, classes: int = 3, mask: Path | None = None, seed: int = 0) -> np.ndarray:
    """Each voxel's class by k-means, 1 the darkest; `mask` names a file of labels, 0 is left out."""
    return cluster_kmeans(volume, classes=classes, mask=_mask(mask, volume), seed=seed)


def _gmm(volume: Volume, *, classes: int = 3, smoothness: float = 1.0, mask: Path | None = None) -> np.ndarray:
    """Each voxel's class by a Gaussian mixture with a Markov random field, 1 the darkest."""
    return cluster_gmm(volume, classes=classes, smoothness=smoothness, mask=_mask(mask, volume))


def _slic(
    volume: Volume, *, segments: int = 200, compactness: float = 0.25, mask: Path | None = None, steps: int = 10
) -> np.ndarray:
    """Compact pieces of even intensity that follow edges, from dark to bright."""
    return superpixels_slic(volume, segments=segments, compactness=compactness, mask=_mask(mask, volume), steps=steps)


def _texture(
    volume: Volume, *, classes: int = 5, window: float | None = None, mask: Path | None = None, seed: int = 0
) -> np.ndarray:
    """Regions of one texture each, from the finest to the coarsest."""
    return segment_texture(volume, classes=classes, window=window, mask=_mask(mask, volume), seed=seed)


def _mask(path: Path | None, volume: Volume) -> Mask | None:
    """What a file of labels covers, all labels together."""
    return None if path is None else open_regions(path, volume).any_mask


# Each takes the volume and keyword-only parameters, and gives bool or labels 1 … n on the volume's grid.
METHODS: Final[Mapping[str, Callable[..., np.ndarray | Region]]] = {
    "threshold": threshold_volume,
    "otsu": otsu_volume,
    "multi-otsu": multi_otsu_volume,
    "adaptive": adaptive_threshold,
    "region-growing": region_growing,
    "watershed": watershed,
    "edge": find_edges,
    "active-contour": active_contour,
    "level-set": level_set,
    "random-walker": random_walker,
    "graph-cut": graph_cut,
    "texture": _texture,
    "kmeans": _kmeans,
    "gmm": _gmm,
    "slic": _slic,
    "pet-41": share_of_maximum,
    "pet-fixed": fixed_uptake,
    "pet-gradient": steepest_uptake,
}


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """What was written, and lines that the user should read.

    labels   0 outside, 1 … n
    """

    labels: LabelMap
    notes: tuple[str, ...]


def segment_file(method: str, source: Path, target: Path, given: Mapping[str, object]) -> Segmented:
    """Read an image, segment it, write the labels on its grid.

    given   options of the method by name, as texts or as TOML has them

    Raises InputError for a method or an option that is not there, and what reading and writing raise.
    """
    if method not in METHODS:
        raise InputError(f"segment: expected one of {' '.join(METHODS)}, got {method!r}; see isocenter segment --help")
    require_target(target)
    volume = open_image(source)
    found: Any = call_with(METHODS[method], volume, given=given)
    array, notes = (found.mask, found.notes) if isinstance(found, Region) else (found, ())
    labels = LabelMap(array.astype(np.uint8) if array.dtype == np.bool_ else array, volume.grid)
    save_labels(labels, target)
    if not labels.array.any():
        notes = (*notes, f"{method}: no voxel was found; look at the options in isocenter segment list")
    return Segmented(labels, notes)


def describe_methods() -> tuple[str, ...]:
    """One line per method: its name, what it gives, its options with their defaults."""
    lines = []
    for name, function in METHODS.items():
        options = ", ".join(describe_parameters(function))
        summary = (function.__doc__ or "").strip().splitlines()[0]
        lines.append(f"{name}: {summary}" + (f" {options}" if options else ""))
    return tuple(lines)
