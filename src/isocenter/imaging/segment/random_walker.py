"""Random walker: each voxel goes to the seed that a walker, shy of edges, most likely meets first."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.segment.gradients import blur
from isocenter.imaging.segment.inputs import (
    Seeds,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    sigma_in_steps,
)
from isocenter.imaging.segment.markers import class_markers, seed_markers, undecided_box

_TOLERANCE: Final = 1e-4
_SIGMA: Final = 0.5
# No edge is closed to a walker altogether.
_LEAST_WEIGHT: Final = 1e-6


def random_walker(
    volume: Volume,
    *,
    seed: Seeds = (),
    background: Seeds = (),
    reach_mm: float | None = None,
    sigma_mm: float | None = None,
    beta: float = 130.0,
) -> np.ndarray:
    """The things around the seeds, labels 1 … n in the seeds' order, 0 outside, int32.

    seed         (column, row, slice) in each thing; without one: what is surely bright, by Otsu's classes
    background   places outside; found by the image where none is given
    reach_mm     how far from the nearest seed a thing may lie
    sigma_mm     of the blur before; half a finest step where not given
    beta         how shy of edges: a jump of one standard deviation of the image weighs exp(-beta / 10)

    Raises InputError for a constant image.
    Source: Grady L. Random walks for image segmentation. IEEE PAMI 2006;28(11):1768-1783.
    """
    steps = relative_steps(volume)
    array = blur(gray_array(volume), sigma=sigma_in_steps(volume, sigma_mm, _SIGMA), steps=steps)
    require_contrast(array, "random-walker")
    positive(beta, "beta")
    if seed:
        markers, count = seed_markers(volume, seed, background=background, reach_mm=reach_mm)
    else:
        markers, count = class_markers(volume), 1
    box = undecided_box(markers, count)
    part = array[box]
    spread = float(part.std()) / max(float(part[markers[box] <= count].std()) if seed else float(array.std()), 1e-30)
    labels = np.zeros(array.shape, dtype=np.int32)
    # What a reach cuts off changes nothing: the weights stay those of the whole image.
    labels[box] = walk_to_markers(array[box], markers[box], beta=beta * spread**2, steps=steps)
    return np.where(labels > count, 0, labels)


def walk_to_markers(array: np.ndarray, markers: np.ndarray, *, beta: float, steps: np.ndarray) -> np.ndarray:
    """Each voxel under the label of the marker that a random walker from there most likely meets first, int32.

    markers   whole numbers, 0 where no marker is
    steps     along (slices, rows, columns)

    Raises InputError for other shapes or no marker.
    """
    if array.shape != markers.shape or not (markers > 0).any():
        raise InputError(f"random-walker: expected markers of shape {array.shape}, some above 0, got {markers.shape}")
    numbers = [int(n) for n in np.unique(markers) if n > 0]
    labels = np.asarray(markers, dtype=np.int32).copy()
    free = markers == 0
    if len(numbers) == 1 or not free.any():
        labels[free] = numbers[0]
        return labels
    likely = np.full(array.shape, -1.0, dtype=np.float32)
    chances = meeting_chances(array, markers, numbers=numbers[:-1], beta=beta, steps=steps)
    rest = np.ones(array.shape, dtype=np.float32)
    for number, chance in zip(numbers, [*chances, rest], strict=True):
        rest -= chance if number != numbers[-1] else 0
        better = free & (chance > likely)
        labels[better] = number
        likely[better] = chance[better]
    return labels


def meeting_chances(
    array: np.ndarray, markers: np.ndarray, *, numbers: list[int], beta: float, steps: np.ndarray
) -> list[np.ndarray]:
    """For each marker of `numbers`, the chance that a walker meets it first, float32; 0 and 1 on the markers."""
    from isocenter.imaging.segment.random_walker_kernel import solve

    weights = _edge_weights(array, beta, steps)
    free = markers == 0
    inner = [np.where(free & _ahead(free, axis), weight, np.float32(0)) for axis, weight in enumerate(weights)]
    diagonal = np.where(free, _weighted_neighbours(np.ones(array.shape, np.float32), weights), np.float32(0))
    level = (np.pad(inner[0], 1), np.pad(inner[1], 1), np.pad(inner[2], 1), np.pad(diagonal, 1))
    chances = []
    for number in numbers:
        at_marker = np.asarray(markers == number, dtype=np.float32)
        right = np.where(free, _weighted_neighbours(at_marker, weights), np.float32(0))
        found = solve(level, np.pad(right, 1), tolerance=_TOLERANCE)
        chances.append(found[1:-1, 1:-1, 1:-1] + at_marker)
    return chances


def _edge_weights(array: np.ndarray, beta: float, steps: np.ndarray) -> list[np.ndarray]:
    """How freely a walker passes to the next voxel along each axis; 0 from the last voxel."""
    values = np.asarray(array, dtype=np.float64)
    values = ((values - values.mean()) / max(float(values.std()), 1e-30)).astype(np.float32)
    weights = []
    for axis, step in enumerate(steps):
        weight = np.zeros(array.shape, dtype=np.float32)
        front = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        jump = np.diff(values, axis=axis)
        # As a wire: its cross-section over its length; the finest steps weigh 1.
        weight[front] = (np.exp(-np.float32(beta / 10) * jump * jump) + np.float32(_LEAST_WEIGHT)) / np.float32(step**2)
        weights.append(weight)
    return weights


def _ahead(array: np.ndarray, axis: int) -> np.ndarray:
    """Each voxel's next along an axis; 0 for the last."""
    shifted = np.zeros_like(array)
    to = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
    of = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    shifted[to] = array[of]
    return shifted


def _weighted_neighbours(array: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """The weighted sum of each voxel's neighbours."""
    total = np.zeros(array.shape, dtype=np.float32)
    for axis, weight in enumerate(weights):
        total += weight * _ahead(array, axis)
        to = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        of = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        total[to] += weight[of] * array[of]
    return total
