"""Level sets: a surface that moves by intensities or edges and keeps smooth, with sub-voxel places."""

from typing import Any, Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.segment.gradients import blur, gradient_magnitude
from isocenter.imaging.segment.inputs import (
    Seeds,
    ball_around,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
    sigma_in_steps,
)
from isocenter.imaging.segment.markers import beside, seed_markers, two_means
from isocenter.imaging.segment.region import grow_region, pieces_at
from isocenter.imaging.segment.threshold import otsu_limit

_ITERATIONS: Final = 300
# In rooms above so many voxels the surface gets as many rounds fewer, at least these: it starts near its goal, and a
# round moves every place of it by up to a voxel.
_LARGE_ROOM: Final = 4_000_000
_LEAST_ITERATIONS: Final = 50
_LARGEST_CHANGE: Final = 0.01
_SEED_RADIUS: Final = 3.0
_NECK_STEPS: Final = 4.0
# Voxels beyond the room in which the surface can move; the solver keeps its layers there.
_ROOM: Final = 8
# How fast it moves where the intensity is the thing's own, against curvature; and what lies so many times that far
# beyond the limits counts as no farther.
_SPEED: Final = 2.5
_FAR: Final = 4.0
# The solver's surface stands still in slices thicker than a few pixels: they count as so many.
_MOST_STEP: Final = 3.0


def level_set(
    volume: Volume,
    *,
    kind: Literal["threshold", "geodesic"] = "threshold",
    seed: Seeds = (),
    curvature: float = 0.3,
    sigma_mm: float | None = None,
) -> np.ndarray:
    """What a smooth moving surface comes to enclose, bool.

    kind        "threshold": it moves outwards where the intensity is nearer to the thing's than to the surroundings';
                "geodesic": outwards until edges hold it
    seed        (column, row, slice) inside; without one it starts around the brighter of Otsu's classes
    curvature   how much smoothness counts beside the image
    sigma_mm    of the blur before; half a finest step for "threshold", one for "geodesic" where not given

    Raises InputError for a constant image or one with an axis too short for a surface.
    Source: Caselles V, et al. Geodesic active contours. IJCV 1997;22:61-79; Lefohn AE, et al. MICCAI 2003 for
    intensities; solved by ITK's sparse field.
    """
    array = gray_array(volume)
    require_contrast(array, "level-set")
    positive(curvature, "curvature", zero=True)
    if min(array.shape[1:]) < 4 or array.shape[0] in (2, 3):
        raise InputError(f"level-set: expected one slice, or at least 4 voxels along each axis, got {array.shape}")
    steps = relative_steps(volume)
    places = seed_places(volume, seed)
    start, limits, step = _start(volume, seed)
    if kind == "threshold":
        smooth = blur(array, sigma=sigma_in_steps(volume, sigma_mm, 0.5), steps=steps)
        box = _room(smooth, start, limits)
        inside = np.zeros(array.shape, dtype=np.bool_)
        inside[box] = _by_intensity(smooth[box], start[box], (*limits, step), curvature, steps)
    else:
        steep = gradient_magnitude(array, sigma=sigma_in_steps(volume, sigma_mm, 1.0), steps=steps)
        inside = _by_edges(1 / (1 + np.square(steep / (0.5 * otsu_limit(steep)))), start, curvature, steps)
    return pieces_at(inside, places) if places else inside


def _start(volume: Volume, seed: Seeds) -> tuple[np.ndarray, tuple[float, float], float]:
    """What is surely inside, the intensities nearer to it than to what is surely outside, and its way to the limit."""
    array = gray_array(volume)
    smooth = blur(array, sigma=1.0, steps=relative_steps(volume))
    if not seed:
        require_contrast(smooth, "level-set")
        bright, dark = two_means(smooth, otsu_limit(smooth))
        middle = (bright + dark) / 2
        return np.asarray(smooth > middle), (middle, float("inf")), (bright - dark) / 2
    markers, count = seed_markers(volume, seed)
    inside = (markers > 0) & (markers <= count)
    places = seed_places(volume, seed)
    for place in places:
        inside |= ball_around(array.shape, place, _SEED_RADIUS, relative_steps(volume)) & (markers <= count)
    middle, outside = float(np.median(smooth[inside])), smooth[beside(markers, count, relative_steps(volume))]
    darker, brighter = outside[outside < middle], outside[outside > middle]
    low = (middle + float(np.median(darker))) / 2 if darker.size else -float("inf")
    high = (middle + float(np.median(brighter))) / 2 if brighter.size else float("inf")
    # Near its goal from the start, but through no gap that the surface would not pass.
    units = [float(step) for step in relative_steps(volume)]
    grown = grow_region(smooth, places, limits=(low, high), spacing_mm=units, neck_mm=_NECK_STEPS)
    return inside | (grown.mask & (markers <= count)), (low, high), min(middle - low, high - middle)


def _room(smooth: np.ndarray, start: np.ndarray, limits: tuple[float, float]) -> tuple[slice, ...]:
    """The box beyond which the surface cannot move: around what hangs together with its start within the limits."""
    labels, count = label_components((smooth >= limits[0]) & (smooth <= limits[1]), connectivity=26)
    reached = np.zeros(count + 1, dtype=np.bool_)
    reached[np.unique(labels[start])] = True
    reached[0] = False
    room = reached[labels] | start
    slices = []
    for axis, size in enumerate(room.shape):
        places = np.flatnonzero(room.any(axis=tuple(other for other in range(3) if other != axis)))
        slices.append(slice(max(0, int(places[0]) - _ROOM), min(size, int(places[-1]) + 1 + _ROOM)))
    return tuple(slices)


def _by_intensity(
    smooth: np.ndarray, start: np.ndarray, walls: tuple[float, float, float], curvature: float, steps: np.ndarray
) -> np.ndarray:
    """The surface outwards within limits, inwards outside them.

    walls   the limits, and how far the thing's own intensity lies from the nearer one
    """
    import SimpleITK as sitk  # noqa: N813

    low, high, step = walls
    step = step if 0 < step < np.inf else float(np.ptp(smooth))
    # Bone and air beside an organ would else make all that matters slow.
    smooth = np.clip(smooth, low - _FAR * step, high + _FAR * step)
    span = float(smooth.max()) - float(smooth.min())
    low, high = max(low, float(smooth.min()) - span), min(high, float(smooth.max()) + span)
    surface = sitk.ThresholdSegmentationLevelSetImageFilter()
    surface.SetLowerThreshold((low - float(smooth.min())) / span)
    surface.SetUpperThreshold((high - float(smooth.min())) / span)
    # ITK's speed is the distance to the nearer limit.
    surface.SetPropagationScaling(_SPEED * span / step)
    surface.SetCurvatureScaling(curvature)
    return _run(surface, (smooth - smooth.min()) / span, start, steps)


def _by_edges(flatness: np.ndarray, start: np.ndarray, curvature: float, steps: np.ndarray) -> np.ndarray:
    """The surface outwards until edges pull it to themselves."""
    import SimpleITK as sitk  # noqa: N813

    surface = sitk.GeodesicActiveContourLevelSetImageFilter()
    surface.SetPropagationScaling(1.0)
    surface.SetCurvatureScaling(curvature)
    surface.SetAdvectionScaling(2.0)
    return _run(surface, flatness, start, steps)


def n_rounds(n_voxels: int) -> int:
    """How many rounds a surface moves at most in a room of so many voxels.

    >>> n_rounds(1_000_000), n_rounds(8_000_000), n_rounds(26_000_000)
    (300, 150, 50)
    """
    return min(_ITERATIONS, max(_LEAST_ITERATIONS, _ITERATIONS * _LARGE_ROOM // n_voxels))


def _run(surface: Any, feature: np.ndarray, start: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Move the surface until it rests; its inside."""
    import SimpleITK as sitk  # noqa: N813

    surface.SetNumberOfIterations(n_rounds(start.size))
    surface.SetMaximumRMSError(_LARGEST_CHANGE)
    one_slice = start.shape[0] == 1
    thick = [float(step) for step in np.minimum(steps, _MOST_STEP)]
    spacing = thick[:0:-1] if one_slice else thick[::-1]
    images = []
    for array in (start.astype(np.uint8), feature.astype(np.float32)):
        image = sitk.GetImageFromArray(array[0] if one_slice else array)
        image.SetSpacing(spacing)
        images.append(image)
    distance = sitk.SignedMaurerDistanceMap(images[0], False, False, True)
    moved = sitk.GetArrayFromImage(surface.Execute(sitk.Cast(distance, sitk.sitkFloat32), images[1])) <= 0
    return np.asarray(moved[None] if one_slice else moved)
