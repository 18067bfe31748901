"""Texture of a region by slice, by slices together and in space: six families of matrices, each aggregated as asked.

Source: IBSI reference manual, aggregation of texture matrices: BTW3, SUJT, JJUI, ZW7Z, ITBB, IAZD, 8QNN, 62GR, KOBO.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import cc3d
import numpy as np

from isocenter.imaging.features import emphasis
from isocenter.imaging.features.cooccurrence import TAGS as PAIR_TAGS
from isocenter.imaging.features.cooccurrence import cooccurrence_features
from isocenter.imaging.features.emphasis import emphasis_features
from isocenter.imaging.features.tone_difference import TAGS as TONE_TAGS
from isocenter.imaging.features.tone_difference import tone_difference_features

Steps = tuple[tuple[int, int, int], ...]
_NEAR: Final = (-1, 0, 1)
# One of each pair of opposite neighbours, in space and in a slice.
HALF_3D: Final[Steps] = tuple(step for step in product(_NEAR, _NEAR, _NEAR) if step > (0, 0, 0))
HALF_2D: Final[Steps] = tuple(step for step in HALF_3D if step[0] == 0)

PREFIXES = {"glcm": "cm", "glrlm": "rlm", "glszm": "szm", "gldzm": "dzm", "ngtdm": "ngt", "ngldm": "ngl"}
TAGS = {
    "glcm": PAIR_TAGS,
    "glrlm": emphasis.RUN_TAGS,
    "glszm": emphasis.SIZE_TAGS,
    "gldzm": emphasis.DISTANCE_TAGS,
    "ngtdm": TONE_TAGS,
    "ngldm": emphasis.DEPENDENCE_TAGS,
}


@dataclass(frozen=True, slots=True, eq=False)
class LevelRegion:
    """Grey levels of a region as the counting kernels take them: flat, with one voxel of 0 around the volume.

    places     ascending flat indices of the region's voxels
    shape      of the padded volume
    shape_mask the morphological mask on it
    """

    levels: np.ndarray = field(repr=False)
    places: np.ndarray = field(repr=False)
    shape: tuple[int, int, int]
    n_levels: int
    shape_mask: np.ndarray = field(repr=False)

    def offsets(self, steps: Iterable[tuple[int, int, int]]) -> np.ndarray:
        """Flat offsets of neighbours."""
        return np.array([(k * self.shape[1] + j) * self.shape[2] + i for k, j, i in steps], dtype=np.int64)

    def by_slice(self) -> Iterator[np.ndarray]:
        """The places of each slice that holds any."""
        number = self.places // (self.shape[1] * self.shape[2])
        yield from np.split(self.places, np.flatnonzero(np.diff(number)) + 1)

    def distances(self, *, flat: bool) -> np.ndarray:
        """Steps to the outside of the morphological mask, 1 at its edge, in the slice or in space."""
        from scipy.ndimage import distance_transform_cdt

        if not flat:
            return np.asarray(distance_transform_cdt(self.shape_mask, metric="taxicab"), dtype=np.int64).ravel()
        planes = [distance_transform_cdt(plane, metric="taxicab") for plane in self.shape_mask]
        return np.stack(planes).astype(np.int64).ravel()


def level_region(levels: np.ndarray, mask: np.ndarray, shape_mask: np.ndarray) -> LevelRegion:
    """The grey levels of a region as the kernels take them.

    levels       one whole number from 1 for each voxel of `mask`
    mask         bool, (slices, rows, columns): the intensity mask; `shape_mask` the morphological one, which holds it
    """
    box = []
    for axis in range(3):
        filled = np.flatnonzero(shape_mask.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    volume = np.zeros(mask.shape, dtype=np.int32)
    volume[mask] = levels
    padded = np.pad(volume[tuple(box)], 1)
    shape = (int(padded.shape[0]), int(padded.shape[1]), int(padded.shape[2]))
    flat = padded.ravel()
    return LevelRegion(flat, np.flatnonzero(flat), shape, int(levels.max()), np.pad(shape_mask[tuple(box)], 1))


def texture_features(
    region: LevelRegion, families: Sequence[str], aggregations: Iterable[str], *, alpha: int = 0
) -> dict[str, float]:
    """The features of families by tag ("cm_contrast_3D_avg") for those of the aggregations that each family has.

    families   out of "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"
    alpha      of ngldm: levels at most this far apart depend on each other

    NaN where a region has no such matrix: no pairs, no neighbours. Averages leave out slices and directions without.
    """
    wanted = set(aggregations)
    found: dict[str, dict[str, np.ndarray]] = {}
    if "glcm" in families:
        found["glcm"] = _directional(region, _pairs, wanted)
    if "glrlm" in families:
        found["glrlm"] = _directional(region, _runs, wanted)
    if zonal := [family for family in ("glszm", "gldzm") if family in families]:
        found |= _zonal(region, zonal, wanted)
    if around := [family for family in ("ngtdm", "ngldm") if family in families]:
        found |= _neighbourly(region, around, wanted, alpha=alpha)
    return {
        f"{PREFIXES[family]}_{tag}_{aggregation}": float(value)
        for family, by_aggregation in found.items()
        for aggregation, values in by_aggregation.items()
        if aggregation in wanted
        for tag, value in zip(TAGS[family], values[: len(TAGS[family])], strict=True)
    }


# Matrices (n, …) and the voxels that each counts -> (n, features).
Describe = Callable[[np.ndarray, int], np.ndarray]
Count = Callable[[LevelRegion, np.ndarray, np.ndarray], tuple[np.ndarray, Describe]]


def _pairs(region: LevelRegion, places: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, Describe]:
    from isocenter.imaging.features.texture_kernels import count_pairs

    counts = count_pairs(region.levels, places, offsets, region.n_levels)
    return counts, lambda matrices, n_voxels: cooccurrence_features(matrices)


def _runs(region: LevelRegion, places: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, Describe]:
    from isocenter.imaging.features.texture_kernels import count_runs

    counts = count_runs(region.levels, places, offsets, region.n_levels, max(region.shape) - 2)

    def describe(matrices: np.ndarray, n_voxels: int) -> np.ndarray:
        return np.stack([emphasis_features(matrix, n_voxels=n_voxels) for matrix in matrices])

    return counts, describe


def _directional(region: LevelRegion, count: Count, wanted: set[str]) -> dict[str, np.ndarray]:
    """Families with a matrix per direction."""
    found: dict[str, np.ndarray] = {}
    n_voxels = len(region.places)
    if wanted & {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb"}:
        offsets = region.offsets(HALF_2D)
        single, merged = [], []
        total: np.ndarray | None = None
        for places in region.by_slice():
            counts, describe = count(region, places, offsets)
            total = counts if total is None else total + counts
            if "2D_avg" in wanted:
                single.append(describe(counts, len(places)))
            if "2D_comb" in wanted:
                merged.append(describe(counts.sum(axis=0)[None], len(places) * len(offsets)))
        assert total is not None
        found |= {"2D_avg": _mean(single), "2D_comb": _mean(merged)}
        found["2_5D_avg"] = _mean([describe(total, n_voxels)])
        found["2_5D_comb"] = _mean([describe(total.sum(axis=0)[None], n_voxels * len(offsets))])
    if wanted & {"3D_avg", "3D_comb"}:
        offsets = region.offsets(HALF_3D)
        counts, describe = count(region, region.places, offsets)
        found["3D_avg"] = _mean([describe(counts, n_voxels)])
        found["3D_comb"] = _mean([describe(counts.sum(axis=0)[None], n_voxels * len(offsets))])
    return found


def _zonal(region: LevelRegion, families: list[str], wanted: set[str]) -> dict[str, dict[str, np.ndarray]]:
    """Zones by their size and by their distance to the border."""
    from isocenter.imaging.features.texture_kernels import measure_zones

    def zones_of(half: Steps) -> np.ndarray:
        """(4, zones): first place, level, size, smallest distance."""
        if "gldzm" in families:
            distances = region.distances(flat=half is HALF_2D)
        else:
            distances = np.zeros(len(region.levels), dtype=np.int64)
        zones, n_zones = _connected(region.levels.reshape(region.shape), flat=half is HALF_2D)
        return np.asarray(measure_zones(zones.ravel(), region.places, region.levels, distances, n_zones))

    def describe(zones: np.ndarray, column: int, n_voxels: int) -> np.ndarray:
        often = np.bincount(zones[column])
        sizes = np.flatnonzero(often)
        rank = np.cumsum(often > 0) - 1
        cells = (zones[1] - 1) * len(sizes) + rank[zones[column]]
        counts = np.bincount(cells, minlength=region.n_levels * len(sizes)).reshape(region.n_levels, len(sizes))
        return emphasis_features(counts.astype(np.float64), n_voxels=n_voxels, sizes=sizes)[None]

    found: dict[str, dict[str, np.ndarray]] = {family: {} for family in families}
    flat = zones_of(HALF_2D) if wanted & {"2D", "2_5D"} else None
    solid = zones_of(HALF_3D) if "3D" in wanted else None
    for family in families:
        column = 2 if family == "glszm" else 3
        if flat is not None:
            size = region.shape[1] * region.shape[2]
            number = flat[0] // size
            slices = [describe(flat[:, number == p[0] // size], column, len(p)) for p in region.by_slice()]
            found[family]["2D"] = _mean(slices)
            found[family]["2_5D"] = _mean([describe(flat, column, len(region.places))])
        if solid is not None:
            found[family]["3D"] = _mean([describe(solid, column, len(region.places))])
    return found


def _connected(levels: np.ndarray, *, flat: bool) -> tuple[np.ndarray, int]:
    """The connected pieces of equal levels, numbered from 1, and how many: 8 neighbours by slice, or 26 in space."""
    if not flat:
        zones, n_zones = cc3d.connected_components(levels, connectivity=26, return_N=True)
        return np.asarray(zones, dtype=np.int64), int(n_zones)
    numbered = np.zeros(levels.shape, dtype=np.int64)
    count = 0
    for k in np.flatnonzero(levels.any(axis=(1, 2))):
        zones, n_zones = cc3d.connected_components(levels[k], connectivity=8, return_N=True)
        numbered[k] = np.where(zones > 0, zones.astype(np.int64) + count, 0)
        count += int(n_zones)
    return numbered, count


def _neighbourly(
    region: LevelRegion, families: list[str], wanted: set[str], *, alpha: int
) -> dict[str, dict[str, np.ndarray]]:
    """Tone differences and dependences."""
    from isocenter.imaging.features.texture_kernels import count_neighbours

    def count(places: np.ndarray, half: Steps) -> tuple[np.ndarray, ...]:
        steps = [*half, *((-k, -j, -i) for k, j, i in half)]
        return tuple(count_neighbours(region.levels, places, region.offsets(steps), region.n_levels, alpha))

    def describe(family: str, counted: tuple[np.ndarray, ...], n_voxels: int) -> np.ndarray:
        if family == "ngtdm":
            return tone_difference_features(counted[0], counted[1])[None]
        return emphasis_features(counted[2], n_voxels=n_voxels)[None]

    found: dict[str, dict[str, np.ndarray]] = {family: {} for family in families}
    n_voxels = len(region.places)
    if wanted & {"2D", "2_5D"}:
        slices = [(count(places, HALF_2D), len(places)) for places in region.by_slice()]
        together = tuple(np.sum([counted[n] for counted, _ in slices], axis=0) for n in range(3))
        for family in families:
            found[family]["2D"] = _mean([describe(family, counted, n) for counted, n in slices])
            found[family]["2_5D"] = _mean([describe(family, together, n_voxels)])
    if "3D" in wanted:
        solid = count(region.places, HALF_3D)
        for family in families:
            found[family]["3D"] = _mean([describe(family, solid, n_voxels)])
    return found


def _mean(parts: list[np.ndarray]) -> np.ndarray:
    """The mean over the rows of all parts, leaving out rows of nothing; NaN where nothing is left."""
    rows = np.concatenate(parts) if parts else np.zeros((0, 1))
    rows = rows[~np.isnan(rows).any(axis=1)]
    return np.asarray(rows.mean(axis=0)) if len(rows) else np.full(max(rows.shape[1], emphasis.N_FEATURES, 25), np.nan)
