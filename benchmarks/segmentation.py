"""Segmenting a noisy ball of 128 x 128 x 128: ours against the library that most people would call.

Ours and the peer's runs alternate; the figure is the median in seconds, the ratio is the peer's over ours.
`python benchmarks/segmentation.py` prints JSON; `--runs N` and `--size N` shorten it. The random walker (from a seed in
the middle and one on the border, to the same tolerance) is timed at three eighths of the size, cut and Chan-Vese at
half; both cuts get the same capacities.
"""

import argparse
import json

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.contour import two_mean_contour
from isocenter.imaging.segment.edges import find_edges
from isocenter.imaging.segment.gradients import blur, gradient_magnitude
from isocenter.imaging.segment.graph_cut import border_costs, cut
from isocenter.imaging.segment.inputs import ball_around
from isocenter.imaging.segment.markers import class_markers
from isocenter.imaging.segment.random_walker import walk_to_markers
from isocenter.imaging.segment.region import grow_region
from isocenter.imaging.segment.watershed import flood
from timing import Pair, Row, paired_rows

STEPS = np.ones(3)


def ball(size: int) -> Volume:
    """A ball of 100 in 0, noise of 30."""
    axis = np.arange(size) - size / 2
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    truth = k**2 + j**2 + i**2 <= (0.3 * size) ** 2
    array = 100 * truth + np.random.default_rng(0).normal(0, 30, truth.shape)
    return Volume(array.astype(np.float32), Grid.of_spacing(truth.shape, (1.0, 1.0, 1.0)))


def scipy_cut(odds: np.ndarray, costs: list[np.ndarray]) -> object:
    """The same capacities through SciPy's maximum flow (Dinic)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import maximum_flow

    numbers = np.arange(odds.size).reshape(odds.shape)
    ends = np.rint(np.clip(odds, -16, 16) * 256).astype(np.int32).ravel()
    rows, columns, values = [], [], []
    for axis, cost in enumerate(costs):
        front = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        back = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        whole = np.rint(cost[front] * 256).astype(np.int32).ravel()
        one, two = numbers[front].ravel(), numbers[back].ravel()
        rows += [one, two]
        columns += [two, one]
        values += [whole, whole]
    above, below = np.flatnonzero(ends > 0), np.flatnonzero(ends < 0)
    rows += [np.full(above.size, odds.size), below]
    columns += [above, np.full(below.size, odds.size + 1)]
    values += [ends[above], -ends[below]]
    shape = (odds.size + 2, odds.size + 2)
    graph = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape)
    return maximum_flow(graph.tocsr(), odds.size, odds.size + 1)


def pairs(size: int) -> dict[str, Pair]:
    """Name -> ours, the peer's name, the peer's call."""
    import SimpleITK as sitk  # noqa: N813
    from skimage import segmentation

    volume, half, part = ball(size), ball(size // 2), ball(size * 3 // 8)
    array = volume.array
    relief = gradient_magnitude(array, sigma=1.0, steps=STEPS)
    markers = class_markers(volume)
    smooth = blur(part.array, sigma=0.5, steps=STEPS)
    smooth = (smooth - smooth.mean()) / smooth.std()
    ends = np.zeros(smooth.shape, np.int32)
    ends[0] = 2
    ends[ball_around(smooth.shape, (size * 3 // 16,) * 3, size / 16, STEPS)] = 1
    odds = ((half.array - 50) / 18).astype(np.float32)
    costs = border_costs(half.array, smoothness=4.0, steps=STEPS)
    half_relief = gradient_magnitude(half.array, sigma=1.0, steps=STEPS)
    two = np.zeros(half.array.shape, np.int32)
    two[0] = 2
    two[(size // 4,) * 3] = 1
    start = np.zeros(half.array.shape, bool)
    start[size // 8 : -size // 8, size // 8 : -size // 8, size // 8 : -size // 8] = True
    image = sitk.GetImageFromArray(array)
    seed = (size // 2,) * 3
    return {
        "watershed from markers": (
            lambda: flood(relief, markers),
            "scikit-image",
            lambda: segmentation.watershed(relief, markers),
        ),
        "watershed from markers, ITK": (
            lambda: flood(relief, markers),
            "SimpleITK",
            lambda: sitk.MorphologicalWatershedFromMarkers(
                sitk.GetImageFromArray(relief), sitk.GetImageFromArray(markers.astype(np.uint8)), False, False
            ),
        ),
        "watershed from two seeds, half size, ITK": (
            lambda: flood(half_relief, two),
            "SimpleITK",
            lambda: sitk.MorphologicalWatershedFromMarkers(
                sitk.GetImageFromArray(half_relief), sitk.GetImageFromArray(two.astype(np.uint8)), False, False
            ),
        ),
        "random walker": (
            lambda: walk_to_markers(smooth, ends, beta=130.0, steps=STEPS),
            "scikit-image cg_j",
            lambda: segmentation.random_walker(smooth, ends, beta=130, mode="cg_j", tol=1e-4),
        ),
        "graph cut": (lambda: cut(odds, costs), "SciPy maximum_flow", lambda: scipy_cut(odds, costs)),
        "Chan-Vese, 20 rounds": (
            lambda: two_mean_contour(half.array, start, iterations=20, smoothing=1),
            "scikit-image",
            lambda: segmentation.morphological_chan_vese(half.array, 20, init_level_set=start, smoothing=1),
        ),
        "Canny in three dimensions": (
            lambda: find_edges(volume, low=8.0, high=20.0),
            "SimpleITK",
            lambda: sitk.CannyEdgeDetection(image, 8.0, 20.0, [2.25] * 3, [0.01] * 3),
        ),
        "region growing between limits": (
            lambda: grow_region(array, [seed], limits=(40.0, 200.0), spacing_mm=(1.0, 1.0, 1.0)),
            "SimpleITK",
            lambda: sitk.ConnectedThreshold(image, [seed], 40.0, 200.0),
        ),
    }


def run(n_runs: int = 3, size: int = 128) -> list[Row]:
    """One row per method."""
    return paired_rows(pairs(size), n_runs)


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.runs, arguments.size), indent=2))


if __name__ == "__main__":
    main()
