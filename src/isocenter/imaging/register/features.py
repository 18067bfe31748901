"""Registration by features: corners and blobs with descriptors, matched, and a motion that most of them follow.

Pictures use OpenCV's SIFT or ORB; volumes use blobs (extremes of differences of Gaussians) described by the brightness
around them on shells that turn with nothing but distance, so that an angle does no harm.
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import robust_window, to_gray, to_uint8
from isocenter.imaging.register.landmarks import fiducial_errors_mm, fit_landmarks
from isocenter.imaging.register.levels import Level, coarser_level, finest_level, foreground, smoother_level
from isocenter.imaging.register.motion import Kind

Detector = Literal["sift", "orb"]
_N_CORNERS: Final = 2000
# A match must be nearer than the next best by this factor. Source: Lowe DG. Int J Comput Vis 2004;60(2):91-110.
_RATIO: Final = 0.8
_RATIO_3D: Final = 0.95
_N_BLOBS: Final = 600
_N_DRAWS: Final = 4000
# Side of the copies on which blobs of a volume are looked for, and the shells of their descriptors in voxels.
_SIDE_3D: Final = 96
_SHELLS: Final = (1.5, 3.0, 4.5, 6.0, 8.0, 10.0)
_QUANTILES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMatch:
    """A motion that most matched features follow.

    matrix       (4, 4); fixed points -> moving points, LPS mm (pixels where nobody stated a size)
    n_matches    pairs that the descriptors proposed
    n_inliers    pairs that the motion brings together
    error_mm     their mean distance after it
    """

    matrix: np.ndarray
    n_matches: int
    n_inliers: int
    error_mm: float


def match_pictures(
    fixed: Volume, moving: Volume, *, kind: Kind = "similarity", detector: Detector = "sift"
) -> FeatureMatch:
    """The motion in the plane between two pictures, from corners and blobs.

    Raises InputError for volumes, or where too few features agree.
    """
    if not (fixed.is_2d and moving.is_2d):
        raise InputError(f"features: expected two pictures, got {fixed.grid.shape} and {moving.grid.shape}")
    if detector not in ("sift", "orb"):
        raise InputError(f"features: expected sift or orb, got {detector!r}")
    found = [_describe_picture(image, detector) for image in (fixed, moving)]
    norm = cv2.NORM_L2 if detector == "sift" else cv2.NORM_HAMMING
    pairs = _mutual_pairs(cv2.BFMatcher(norm), found[0][1], found[1][1], _RATIO)
    one, other = found[0][0][pairs[:, 0]], found[1][0][pairs[:, 1]]
    reach = 3 * float(np.linalg.norm(fixed.grid.affine[:3, 2]))
    return _consensus(one, other, kind, reach_mm=reach, normal=fixed.grid.affine[:3, 0])


def match_volumes(fixed: Volume, moving: Volume, *, kind: Kind = "rigid") -> FeatureMatch:
    """The motion between two volumes of one modality, from blobs.

    Raises InputError where too few features agree.
    """
    levels = [finest_level(image) for image in (fixed, moving)]
    extent = max(float((level.spacing_mm * np.array(level.array.shape)).max()) for level in levels)
    small = [coarser_level(level, extent / _SIDE_3D) for level in levels]
    found = [_describe_volume(level) for level in small]
    pairs = _mutual_pairs(cv2.BFMatcher(cv2.NORM_L2), found[0][1], found[1][1], _RATIO_3D)
    one, other = found[0][0][pairs[:, 0]], found[1][0][pairs[:, 1]]
    return _consensus(one, other, kind, reach_mm=2.5 * extent / _SIDE_3D, normal=None)


def _describe_picture(image: Volume, detector: Detector) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 3) mm and descriptors of a picture's features."""
    gray = to_gray(image).array[0]
    picture = to_uint8(np.nan_to_num(gray), robust_window(gray))
    maker = cv2.SIFT.create(_N_CORNERS) if detector == "sift" else cv2.ORB.create(_N_CORNERS)
    points, descriptors = maker.detectAndCompute(picture, None)
    if descriptors is None or len(points) < 3:
        raise InputError("features: expected a picture with corners, found fewer than three; use register instead")
    places = np.array([(0.0, point.pt[1], point.pt[0]) for point in points])
    return image.grid.to_world_mm(places), np.asarray(descriptors)


def _describe_volume(level: Level) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 3) mm and descriptors of a level's blobs: quantiles of the brightness on shells, standardised."""
    from scipy import ndimage

    fine = float(level.spacing_mm.min())
    narrow, wide = (smoother_level(level, factor * fine).array for factor in (1.0, 1.8))
    response = np.abs(narrow - wide)
    response[~ndimage.binary_dilation(foreground(level), iterations=2)] = 0
    peaks = (response == ndimage.maximum_filter(response, size=5)) & (response > 0)
    index = np.argwhere(peaks)
    strongest = np.argsort(-response[peaks], kind="stable")[:_N_BLOBS]
    index = index[strongest]
    if len(index) < 4:
        raise InputError("features: expected a volume with blobs, found fewer than four; use register instead")
    directions = _sphere(42)
    shells = np.array(_SHELLS)[:, None, None] * directions
    offsets = (shells * fine / level.spacing_mm).reshape(-1, 3)
    places = index[:, None, :] + offsets
    values = ndimage.map_coordinates(narrow, places.reshape(-1, 3).T, order=1, mode="nearest")
    rings = np.quantile(values.reshape(len(index), len(_SHELLS), -1), _QUANTILES, axis=2)
    words = np.moveaxis(rings, 0, 2).reshape(len(index), -1)
    words = words - words.mean(1, keepdims=True)
    words /= np.maximum(words.std(1, keepdims=True), 1e-9)
    places_mm = index @ level.affine[:3, :3].T + level.affine[:3, 3]
    return places_mm, words.astype(np.float32)


def _sphere(n: int) -> np.ndarray:
    """Directions spread evenly over the sphere, (n, 3). Source: the golden-angle spiral."""
    steps = np.arange(n) + 0.5
    height = 1 - 2 * steps / n
    turn = np.pi * (1 + 5**0.5) * steps
    flat = np.sqrt(1 - height**2)
    return np.stack((height, flat * np.sin(turn), flat * np.cos(turn)), axis=1)


def _mutual_pairs(matcher: cv2.BFMatcher, one: np.ndarray, other: np.ndarray, ratio: float) -> np.ndarray:
    """Rows (index, index) of features that are each other's nearest, clearly nearer than the next."""
    forth = matcher.knnMatch(one, other, k=2)
    back = {match[0].queryIdx: match[0].trainIdx for match in matcher.knnMatch(other, one, k=1) if match}
    pairs = [
        (best.queryIdx, best.trainIdx)
        for best, second in (match for match in forth if len(match) == 2)
        if best.distance < ratio * second.distance and back.get(best.trainIdx) == best.queryIdx
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _consensus(
    one: np.ndarray, other: np.ndarray, kind: Kind, *, reach_mm: float, normal: np.ndarray | None
) -> FeatureMatch:
    """The motion that the most pairs follow: fits of small draws, then of all that follow the best one.

    normal   of the plane for pictures: two points off it are added so that a plane determines a motion of space

    Source: Fischler MA, Bolles RC. Commun ACM 1981;24(6):381-395.
    """
    needed = {"rigid": 3, "similarity": 3, "affine": 4}[kind] if normal is None else {"affine": 3}.get(kind, 2)
    if len(one) < needed + 1:
        raise InputError(f"features: expected at least {needed + 1} matches, got {len(one)}; use register instead")
    rng = np.random.default_rng(0)
    best = np.zeros(len(one), dtype=np.bool_)
    for _ in range(_N_DRAWS):
        drawn = rng.choice(len(one), needed, replace=False)
        try:
            matrix = _fit(one[drawn], other[drawn], kind, normal)
        except InputError:
            continue  # The draw lies on a line.
        follows = fiducial_errors_mm(matrix, one, other) < reach_mm
        if follows.sum() > best.sum():
            best = follows
    if best.sum() <= needed + 1:
        raise InputError(f"features: expected matches that agree, {int(best.sum())} of {len(one)} do; use register")
    for _ in range(3):
        matrix = _fit(one[best], other[best], kind, normal)
        best = fiducial_errors_mm(matrix, one, other) < reach_mm
    errors = fiducial_errors_mm(matrix, one, other)[best]
    return FeatureMatch(matrix, len(one), int(best.sum()), float(errors.mean()))


def _fit(one: np.ndarray, other: np.ndarray, kind: Kind, normal: np.ndarray | None) -> np.ndarray:
    if normal is None:
        return fit_landmarks(one, other, kind=kind)
    # Partners off the plane, over the middle of the points, hold the normal in place.
    size = float(np.linalg.norm(one - one.mean(0), axis=1).mean()) + 1e-9
    other_size = float(np.linalg.norm(other - other.mean(0), axis=1).mean()) + 1e-9
    scale = {"rigid": 1.0, "similarity": other_size / size, "affine": 1.0}[kind]
    lift = normal / np.linalg.norm(normal) * size
    lifted = np.vstack((one, one.mean(0) + lift, one.mean(0) - lift))
    goals = np.vstack((other, other.mean(0) + scale * lift, other.mean(0) - scale * lift))
    return fit_landmarks(lifted, goals, kind=kind)
