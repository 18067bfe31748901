"""Regions by texture, without training: local maps are averaged, clustered, and their borders drawn again sharply."""

from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.core.grid import require_same_grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.segment.inputs import gray_array, relative_steps, require_contrast
from isocenter.imaging.segment.kmeans import kmeans, require_classes
from isocenter.imaging.segment.mixture import smooth_field
from isocenter.imaging.segment.texture_maps import GABOR_WAVELENGTHS, gabor_maps, level_limits, texture_maps

# Width (sigma, pixels) of the averages that find the textures: a share of the image's side, within limits.
_WINDOW_SHARE, _LEAST_WINDOW, _MOST_WINDOW = 1 / 28, 4.0, 16.0
# OpenCV refuses kernels far beyond this.
_WIDEST_WINDOW: Final = 200.0
# Width of the averages that draw the borders, and how strongly neighbouring pixels hold together there.
_BORDER_WINDOWS, _PULL, _TRUST, _ROUNDS = (6.5, 4.5, 3.0, 2.0), 2.0, 0.3, 2
# The narrowest average is taken that still knows this share of the pixels amid their class.
_KNOWN: Final = 0.98
# Regions narrower than this many windows are given to their neighbours.
_NARROW: Final = 0.5
_MOST_PIXELS: Final = 2**21
_MOST_SLICES: Final = 6
_LEAST_SIDE: Final = 16
# Share of pixels, those amid their like, that the textures are first found in.
_PURE: Final = 0.4
_SAMPLE: Final = 200_000
_FISHER_SAMPLE: Final = 20_000
_LEARNED_PIXELS: Final = 2**19
# Log-likelihood below which a class is as good as ruled out.
_FLOOR: Final = -30.0

# A projection of the maps, and each class's mean, inverse covariance and log-determinant there.
Rule = tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray, float]]]


def segment_texture(
    volume: Volume, *, classes: int = 5, window: float | None = None, mask: Mask | None = None, seed: int = 0
) -> np.ndarray:
    """Regions of one texture each, int32 labels from the finest (1) to the coarsest; 0 outside the mask.

    window   sigma in pixels of the averages that tell textures apart; by default a 28th of the shorter side, 4 to 16
    seed     of the clustering's starts

    Each slice has its maps of Gabor amplitudes, local binary patterns and pairs of grey levels. Averages over the
    window are clustered in the plane of most variance (k-means); then the maps are projected to where these classes
    part best (Fisher), averaged narrowly, and neighbours hold together (mean field). A stack is learned from a few of
    its slices.

    Raises InputError for NaN, a constant image, an empty mask, slices below 16 pixels; LimitError for huge slices.
    """
    array = gray_array(volume).astype(np.float32)
    inside = _inside(volume, mask)
    require_contrast(array[inside], "texture")
    require_classes(classes, array[inside].size)
    array = (array - array[inside].mean()) / array[inside].std()
    limits = level_limits(array[inside])
    shape = volume.grid.shape
    chosen = _learned_slices(inside)
    if window is not None and not 0 < window <= _WIDEST_WINDOW:
        raise InputError(f"window: expected a sigma above 0 and up to {_WIDEST_WINDOW:g} pixels, got {window}")
    width = window or float(np.clip(min(shape[1:]) * _WINDOW_SHARE, _LEAST_WINDOW, _MOST_WINDOW))
    maps = [texture_maps(array[k], limits) for k in chosen]
    first = _first_labels(maps, inside[chosen], classes, width, np.random.default_rng(seed))
    rule, sigma = _learned_rule([np.concatenate(parts) for parts in maps], inside[chosen], first, classes, width)
    every = (_average(np.concatenate(texture_maps(part, limits)), sigma) for part in array)
    scores = np.stack([_score(part, rule) for part in every])
    labels = np.argmax(smooth_field(scores * _TRUST, inside, _PULL / relative_steps(volume)), axis=-1)
    return _by_coarseness(array, _without_slivers(labels, inside, round(_NARROW * width)), inside)


def _learned_slices(inside: np.ndarray) -> np.ndarray:
    """Slices spread over those that have something inside, as many as memory allows."""
    filled = np.flatnonzero(inside.any(axis=(1, 2)))
    count = min(filled.size, max(1, min(_MOST_SLICES, _LEARNED_PIXELS // inside[0].size)))
    return np.asarray(filled[np.unique(np.linspace(0, filled.size - 1, count).round().astype(int))])


def _first_labels(
    maps: list[tuple[np.ndarray, ...]], inside: np.ndarray, classes: int, width: float, rng: np.random.Generator
) -> np.ndarray:
    """Classes (0 …) of wide averages, found among pixels amid their like, (slices, rows, columns)."""
    from scipy import ndimage

    groups = [[_average(group, width) for group in slice_maps] for slice_maps in maps]
    scaled = []
    for number in range(len(groups[0])):
        values = np.stack([parts[number] for parts in groups], axis=1)
        values -= values[:, inside].mean(axis=1)[:, None, None, None]
        # Each group of maps counts alike, however many maps it has.
        scaled.append(values / np.sqrt((values[:, inside] ** 2).sum(axis=0).mean()))
    values = np.concatenate(scaled)
    flat = values[:, inside]
    axes = np.linalg.eigh(flat @ flat.T / flat.shape[1])[1][:, ::-1][:, : classes - 1]
    low = np.einsum("fd,fkji->dkji", axes, values, optimize=True)
    step = max(1, round(1.5 * width))
    change = np.zeros(inside.shape, dtype=np.float32)
    for axis in (2, 3):
        shift = [step if n == axis else 0 for n in range(4)]
        ahead = ndimage.shift(low, shift, order=0, mode="nearest")
        behind = ndimage.shift(low, [-n for n in shift], order=0, mode="nearest")
        change += ((ahead - behind) ** 2).sum(axis=0)
    pure = inside & (change <= np.quantile(change[inside], _PURE))
    rows = low[:, pure].T
    _, centres = kmeans(rows[rng.permutation(rows.shape[0])[:_SAMPLE]], classes, rng=rng)
    squares = [((low - centre[:, None, None, None]) ** 2).sum(axis=0) for centre in centres]
    return np.asarray(np.argmin(squares, axis=0))


def _learned_rule(
    maps: list[np.ndarray], inside: np.ndarray, labels: np.ndarray, classes: int, width: float
) -> tuple[Rule, float]:
    """How to score a pixel's averages for each class, and how wide they are: from wide to narrow, labels drawn anew."""
    best: tuple[Rule, float] | None = None
    for sigma in (width, *(narrow for narrow in _BORDER_WINDOWS if narrow < width)):
        averages = [_average(part, sigma) for part in maps]
        rule = _fisher_rule(averages, _inner(labels, inside, sigma), labels, classes)
        scores = np.stack([_score(part, rule) for part in averages])
        known = (scores.argmax(axis=-1) == labels)[_inner(labels, inside, sigma)].mean()
        if best is not None and known < _KNOWN:
            break
        for _ in range(_ROUNDS):
            labels = smooth_field(scores * _TRUST, inside, np.array((0, _PULL, _PULL))).argmax(axis=-1)
            rule = _fisher_rule(averages, _inner(labels, inside, sigma), labels, classes)
            scores = np.stack([_score(part, rule) for part in averages])
        best = (rule, sigma)
    if best is None:
        raise InputError("texture: expected at least one width of averages, got none")
    return best


def _fisher_rule(averages: list[np.ndarray], inner: np.ndarray, labels: np.ndarray, classes: int) -> Rule:
    """The plane in which class means lie farthest apart against the spread inside classes, and a Gaussian for each.

    Source: Fisher RA, Ann Eugen 1936;7:179-188; Rao CR, J R Stat Soc B 1948;10:159-203.
    """
    step = max(1, int(np.count_nonzero(inner)) // _FISHER_SAMPLE)
    chosen = np.zeros(inner.shape, dtype=np.bool_)
    chosen.flat[np.flatnonzero(inner)[::step]] = True
    every = np.concatenate([part[:, where] for part, where in zip(averages, chosen, strict=True)], axis=1)
    found = labels[chosen]
    means = np.stack(
        [every[:, found == c].mean(axis=1) if (found == c).any() else every.mean(axis=1) for c in range(classes)]
    )
    off = every - means[found].T
    spread = (off @ off.T).astype(np.float64) / off.shape[1]
    spread += np.eye(len(spread)) * 1e-3 * np.trace(spread) / len(spread)
    values, vectors = np.linalg.eigh(spread)
    white = (vectors / np.sqrt(values)).T
    centre = means.mean(axis=0)
    plane = np.linalg.svd(white @ (means - centre).T, full_matrices=False)[0][:, : classes - 1]
    projection = plane.T @ white
    places = projection @ every
    gaussians = []
    for c in range(classes):
        near = places[:, found == c] - (projection @ means[c])[:, None]
        covariance = near @ near.T / max(near.shape[1], 1) + 0.05 * np.eye(classes - 1)
        gaussians.append((projection @ means[c], np.linalg.inv(covariance), float(np.linalg.slogdet(covariance)[1])))
    return projection, gaussians


def _score(averages: np.ndarray, rule: Rule) -> np.ndarray:
    """Log-likelihood of each class (rows, columns, classes), the best 0 and none below a floor."""
    projection, gaussians = rule
    places = np.einsum("df,fji->dji", projection, averages, optimize=True)
    scores = []
    for mean, inverse, log_size in gaussians:
        off = places - mean[:, None, None]
        scores.append(-0.5 * np.einsum("dji,de,eji->ji", off, inverse, off, optimize=True) - 0.5 * log_size)
    stacked = np.stack(scores, axis=-1)
    return np.asarray(np.maximum(stacked - stacked.max(axis=-1, keepdims=True), _FLOOR))


def _inner(labels: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """Pixels that lie amid pixels of their own class in their slice; all where there are none."""
    reach = 2 * round(1.5 * sigma) + 1
    kernel = np.ones((reach, reach), dtype=np.uint8)
    inner = np.empty(inside.shape, dtype=np.bool_)
    for k, (part, where) in enumerate(zip(labels, inside, strict=True)):
        shown = np.where(where, part + 1, 0).astype(np.uint8)
        inner[k] = (cv2.erode(shown, kernel) == shown) & (cv2.dilate(shown, kernel) == shown) & where
    return inner if inner.any() else inside


def _without_slivers(labels: np.ndarray, inside: np.ndarray, radius: int) -> np.ndarray:
    """Labels with what no disc of this radius fits into, in its slice, given to the nearest region it does fit into."""
    from scipy import ndimage

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    cleaned = labels.copy()
    for k, (part, where) in enumerate(zip(labels, inside, strict=True)):
        kept = np.zeros(part.shape, dtype=np.bool_)
        for label in np.unique(part[where]):
            own = ((part == label) & where).astype(np.uint8)
            kept |= cv2.morphologyEx(own, cv2.MORPH_OPEN, disc, borderType=cv2.BORDER_REPLICATE) > 0
        if kept.any():
            nearest = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
            cleaned[k] = part[tuple(nearest)]
    return cleaned


def _average(maps: np.ndarray, sigma: float) -> np.ndarray:
    """Each map blurred in its plane; beyond the border it is mirrored."""
    return np.stack([cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) for part in maps])


def _by_coarseness(array: np.ndarray, labels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Labels 1 … by the mean wavelength of each class, 0 outside."""
    waves = np.asarray(GABOR_WAVELENGTHS)
    n_classes = int(labels.max()) + 1
    sums, counts = np.zeros((n_classes, waves.size)), np.zeros(n_classes)
    for picture, found, where in zip(array, labels, inside, strict=True):
        maps = gabor_maps(picture) ** 2
        amplitude = maps.reshape(waves.size, -1, *picture.shape).mean(axis=1)
        counts += np.bincount(found[where], minlength=n_classes)
        sums += np.stack([np.bincount(found[where], part[where], minlength=n_classes) for part in amplitude], axis=1)
    present = np.flatnonzero(counts)
    coarse = (sums[present] @ np.log(waves)) / sums[present].sum(axis=1)
    rank = np.zeros(n_classes, dtype=np.int32)
    rank[present[np.argsort(coarse, kind="stable")]] = np.arange(1, present.size + 1)
    return np.where(inside, rank[labels], 0).astype(np.int32)


def _inside(volume: Volume, mask: Mask | None) -> np.ndarray:
    """Which voxels take part; raises for slices too small or too large, and for an empty mask."""
    if mask is not None:
        require_same_grid(volume.grid, mask.grid)
        if not mask.array.any():
            raise InputError("mask: expected at least one voxel inside, got none")
    rows, columns = volume.grid.shape[1:]
    if min(rows, columns) < _LEAST_SIDE:
        raise InputError(f"texture: expected slices of at least {_LEAST_SIDE} pixels a side, got {rows} x {columns}")
    if rows * columns > _MOST_PIXELS:
        raise LimitError(f"texture: expected slices of at most {_MOST_PIXELS} pixels, got {rows} x {columns}; resample")
    return np.ones(volume.grid.shape, dtype=np.bool_) if mask is None else mask.array
