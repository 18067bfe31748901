"""Every texture matrix and feature against slow code that follows the definitions word by word."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from isocenter.imaging.features.texture import TAGS, level_region, texture_features

NEAR = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]
FLAT = [step for step in NEAR if step[0] == 0]


def positive(steps):
    return [step for step in steps if step > (0, 0, 0)]


def region(seed: int = 0):
    """A region with holes, islands, a slice of one voxel, a slice without any, and a re-segmented hole."""
    rng = np.random.default_rng(seed)
    shape_mask = rng.random((6, 8, 9)) > 0.25
    shape_mask[2] = False
    shape_mask[4] = False
    shape_mask[4, 3, 3] = True
    shape_mask[5, :5] = False
    mask = shape_mask & (rng.random(shape_mask.shape) > 0.1)
    mask[4, 3, 3] = True
    levels = rng.integers(1, 6, shape_mask.shape)
    levels[0] = np.maximum(levels[0], 2)
    return np.where(mask, levels, 0), mask, shape_mask


def at(levels, place):
    inside = all(0 <= p < n for p, n in zip(place, levels.shape, strict=True))
    return int(levels[place]) if inside else 0


def moved(place, step, times=1):
    return tuple(p + times * s for p, s in zip(place, step, strict=True))


def voxels(levels, k=None):
    return [tuple(map(int, p)) for p in np.argwhere(levels) if k is None or p[0] == k]


# -- matrices as Counters ------------------------------------------------------------------------------------------


def pair_matrix(levels, places, steps) -> Counter:
    found = Counter()
    for place in places:
        for step in steps:
            for way in (1, -1):
                if other := at(levels, moved(place, step, way)):
                    found[at(levels, place), other] += 1
    return found


def run_matrix(levels, places, steps) -> Counter:
    found = Counter()
    for place in places:
        for step in steps:
            level = at(levels, place)
            if at(levels, moved(place, step, -1)) != level:
                length = 1
                while at(levels, moved(place, step, length)) == level:
                    length += 1
                found[level, length] += 1
    return found


def zone_matrix(levels, places, steps, distance=None) -> Counter:
    found, seen = Counter(), set()
    for place in places:
        if place in seen:
            continue
        zone, edge = {place}, [place]
        while edge:
            here = edge.pop()
            for step in steps:
                other = moved(here, step)
                if other not in zone and at(levels, other) == at(levels, place):
                    zone.add(other)
                    edge.append(other)
        seen |= zone
        found[at(levels, place), len(zone) if distance is None else min(distance[p] for p in zone)] += 1
    return found


def border_distance(shape_mask, steps):
    """Iterated erosion with the neighbours that share a face."""
    left, turn, found = {tuple(map(int, p)) for p in np.argwhere(shape_mask)}, 0, {}
    faces = [step for step in steps if sum(map(abs, step)) == 1]
    while left:
        turn += 1
        outer = {place for place in left if any(moved(place, step) not in left for step in faces)}
        found |= dict.fromkeys(outer, turn)
        left -= outer
    return found


def dependence_matrix(levels, places, steps) -> Counter:
    found = Counter()
    for place in places:
        level = at(levels, place)
        found[level, 1 + sum(at(levels, moved(place, step)) == level for step in steps)] += 1
    return found


def tone_matrix(levels, places, steps):
    counted, sums = Counter(), Counter()
    for place in places:
        around = [other for step in steps if (other := at(levels, moved(place, step)))]
        if around:
            counted[at(levels, place)] += 1
            sums[at(levels, place)] += abs(at(levels, place) - sum(around) / len(around))
    return counted, sums


# -- features by definition ----------------------------------------------------------------------------------------


def pair_features(matrix: Counter, n_levels: int) -> dict:
    total = sum(matrix.values())
    if not total:
        return {}
    p = {key: count / total for key, count in matrix.items()}
    row = Counter()
    for (i, _), share in p.items():
        row[i] += share
    mean = sum(i * share for i, share in row.items())
    variance = sum((i - mean) ** 2 * share for i, share in row.items())
    apart, together = Counter(), Counter()
    for (i, j), share in p.items():
        apart[abs(i - j)] += share
        together[i + j] += share

    def entropy(shares):
        return -sum(share * math.log2(share) for share in shares if share > 0)

    def moments(shares):
        centre = sum(k * share for k, share in shares.items())
        return centre, sum((k - centre) ** 2 * share for k, share in shares.items()), entropy(shares.values())

    hx, hxy = entropy(row.values()), entropy(p.values())
    hxy1 = -sum(share * math.log2(row[i] * row[j]) for (i, j), share in p.items())
    hxy2 = -sum(row[i] * row[j] * math.log2(row[i] * row[j]) for i in row for j in row)
    d, s = moments(apart), moments(together)

    def over(function):
        return sum(share * function(i, j) for (i, j), share in p.items())

    return {
        "joint_max": max(p.values()), "joint_avg": over(lambda i, j: i),
        "joint_var": over(lambda i, j: (i - mean) ** 2),
        "joint_entr": hxy, "diff_avg": d[0], "diff_var": d[1], "diff_entr": d[2], "sum_avg": s[0], "sum_var": s[1],
        "sum_entr": s[2], "energy": sum(share**2 for share in p.values()), "contrast": over(lambda i, j: (i - j) ** 2),
        "dissimilarity": over(lambda i, j: abs(i - j)), "inv_diff": over(lambda i, j: 1 / (1 + abs(i - j))),
        "inv_diff_norm": over(lambda i, j: 1 / (1 + abs(i - j) / n_levels)),
        "inv_diff_mom": over(lambda i, j: 1 / (1 + (i - j) ** 2)),
        "inv_diff_mom_norm": over(lambda i, j: 1 / (1 + (i - j) ** 2 / n_levels**2)),
        "inv_var": 2 * sum(share / (i - j) ** 2 for (i, j), share in p.items() if j > i),
        "corr": over(lambda i, j: (i - mean) * (j - mean)) / variance if variance > 1e-12 else 1.0,
        "auto_corr": over(lambda i, j: i * j), "clust_tend": over(lambda i, j: (i + j - 2 * mean) ** 2),
        "clust_shade": over(lambda i, j: (i + j - 2 * mean) ** 3),
        "clust_prom": over(lambda i, j: (i + j - 2 * mean) ** 4),
        "info_corr1": (hxy - hxy1) / hx if hx else 0.0,
        "info_corr2": math.sqrt(max(0, 1 - math.exp(-2 * (hxy2 - hxy)))),
    }  # fmt: skip


def size_features(matrix: Counter, n_voxels: int) -> list:
    total = sum(matrix.values())
    by_level, by_size = Counter(), Counter()
    for (i, j), count in matrix.items():
        by_level[i] += count
        by_size[j] += count

    def over(function):
        return sum(count * function(i, j) for (i, j), count in matrix.items()) / total

    mean_i, mean_j = over(lambda i, j: i), over(lambda i, j: j)
    return [
        over(lambda i, j: 1 / j**2), over(lambda i, j: j**2), over(lambda i, j: 1 / i**2), over(lambda i, j: i**2),
        over(lambda i, j: 1 / (i * j) ** 2), over(lambda i, j: i**2 / j**2), over(lambda i, j: j**2 / i**2),
        over(lambda i, j: (i * j) ** 2), sum(c**2 for c in by_level.values()) / total,
        sum(c**2 for c in by_level.values()) / total**2, sum(c**2 for c in by_size.values()) / total,
        sum(c**2 for c in by_size.values()) / total**2, total / n_voxels, over(lambda i, j: (i - mean_i) ** 2),
        over(lambda i, j: (j - mean_j) ** 2), -sum(c / total * math.log2(c / total) for c in matrix.values()),
        sum((c / total) ** 2 for c in matrix.values()),
    ]  # fmt: skip


def tone_features(counted: Counter, sums: Counter) -> dict:
    total = sum(counted.values())
    if not total:
        return {}
    p = {i: count / total for i, count in counted.items()}
    weighted, whole = sum(p[i] * sums[i] for i in p), sum(sums.values())
    pairs = list(itertools.product(p, p))
    unlike = sum(abs(i * p[i] - j * p[j]) for i, j in pairs)
    n = len(p)
    return {
        "coarseness": 1 / weighted if weighted else 1e6,
        "contrast": sum(p[i] * p[j] * (i - j) ** 2 for i, j in pairs) / (n * (n - 1)) * whole / total if n > 1 else 0,
        "busyness": weighted / unlike if unlike else 0,
        "complexity": sum(abs(i - j) * (p[i] * sums[i] + p[j] * sums[j]) / (p[i] + p[j]) for i, j in pairs) / total,
        "strength": sum((p[i] + p[j]) * (i - j) ** 2 for i, j in pairs) / whole if whole else 0,
    }


# -- aggregation by definition -------------------------------------------------------------------------------------


def average(rows: list[dict]) -> dict:
    rows = [row for row in rows if row]
    return {tag: sum(row[tag] for row in rows) / len(rows) for tag in rows[0]}


def expected(family: str, aggregation: str, levels, shape_mask) -> dict:
    n_levels = int(levels.max())
    slices = [voxels(levels, k) for k in range(len(levels)) if voxels(levels, k)]
    everything = voxels(levels)
    solid = aggregation.startswith("3D")
    steps = NEAR if solid else FLAT
    if family in ("glcm", "glrlm"):
        matrix = pair_matrix if family == "glcm" else run_matrix

        def describe(found, n_voxels):
            if family == "glcm":
                return pair_features(found, n_levels)
            return dict(zip(TAGS[family], size_features(found, n_voxels), strict=False))

        ways = positive(steps)
        groups = slices if aggregation.startswith("2D") else [everything]
        if aggregation.endswith("avg"):
            return average([describe(matrix(levels, g, [way]), len(g)) for g in groups for way in ways])
        return average([describe(matrix(levels, g, ways), len(g) * len(ways)) for g in groups])
    groups = slices if aggregation == "2D" else [everything]
    if family == "ngtdm":
        return average([tone_features(*tone_matrix(levels, g, steps)) for g in groups])
    if family == "ngldm":
        rows = [size_features(dependence_matrix(levels, g, steps), len(g)) for g in groups]
    else:
        distance = border_distance(shape_mask, steps) if family == "gldzm" else None
        rows = [size_features(zone_matrix(levels, g, steps, distance), len(g)) for g in groups]
    return average([dict(zip(TAGS[family], row, strict=False)) for row in rows])


CASES = [
    *((family, aggregation) for family in ("glcm", "glrlm")
      for aggregation in ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")),
    *((family, aggregation) for family in ("glszm", "gldzm", "ngtdm", "ngldm") for aggregation in ("2D", "2_5D", "3D")),
]  # fmt: skip


@pytest.mark.parametrize(("family", "aggregation"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_features_are_those_of_the_definitions(family, aggregation, seed):
    levels, mask, shape_mask = region(seed)
    found = texture_features(level_region(levels[mask], mask, shape_mask), [family], [aggregation])
    wanted = expected(family, aggregation, levels, shape_mask)
    prefix = next(iter(found)).split("_")[0]
    assert len(found) == len(TAGS[family]) == len(wanted)
    for tag, value in wanted.items():
        assert np.isclose(found[f"{prefix}_{tag}_{aggregation}"], value, rtol=1e-9, atol=1e-9), tag


def test_dependence_may_allow_for_a_difference():
    levels, mask, shape_mask = region()
    made = level_region(levels[mask], mask, shape_mask)
    strict, loose = (texture_features(made, ["ngldm"], ["3D"], alpha=alpha) for alpha in (0, 4))
    assert loose["ngl_hde_3D"] > strict["ngl_hde_3D"]
    around = [
        sum(at(levels, moved(place, step)) > 0 for step in NEAR) + 1 for place in voxels(levels)
    ]  # levels 1 … 5 differ by at most 4
    assert np.isclose(loose["ngl_hde_3D"], np.mean(np.square(around)))


def test_one_voxel_has_runs_and_zones_but_no_neighbours():
    one = np.ones((1, 1, 1), bool)
    made = level_region(np.array([3]), one, one)
    assert texture_features(made, ["glrlm"], ["3D_avg"])["rlm_sre_3D_avg"] == 1
    assert texture_features(made, ["glszm"], ["2D", "3D"])["szm_z_perc_3D"] == 1
    for family in ("glcm", "ngtdm"):
        found = texture_features(made, [family], ["2D", "2D_avg", "3D", "3D_avg", "3D_comb"])
        assert found
        assert np.isnan(list(found.values())).all()
