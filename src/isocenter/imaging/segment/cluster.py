"""Labels without training: k-means, a Gaussian mixture on a Markov random field, superpixels.

Every function gives int32 labels of the grid's shape: 1 is the darkest class (or superpixel), 0 lies outside the mask.
"""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import require_same_grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.segment.inputs import relative_steps
from isocenter.imaging.segment.kmeans import interval_limits, kmeans, require_classes
from isocenter.imaging.segment.mixture import fit_mixture, log_likelihood, smooth_beliefs

# Centres of superpixels are placed on about so many voxels of a larger volume.
_MOST_VOXELS: Final = 2_000_000


def cluster_kmeans(volume: Volume, *, classes: int = 3, mask: Mask | None = None, seed: int = 0) -> np.ndarray:
    """Voxels in classes of least squared distance to their class mean, int32 labels from dark to bright.

    seed   of the starts for colour; grey values need none: their classes are intervals, found exactly on a histogram

    Raises InputError for NaN inside the mask, an empty mask, and fewer different intensities than classes.
    Source: Lloyd SP, IEEE Trans Inf Theory 1982;28:129-137; Fisher WD, J Am Stat Assoc 1958;53:789-798 (intervals).
    """
    inside = _inside(volume, mask)
    if volume.is_colour:
        features = np.asarray(volume.array[inside], dtype=np.float32)
        require_classes(classes, np.unique(features[:: max(1, features.shape[0] // 20_000)], axis=0).shape[0])
        found, _ = kmeans(features, classes, rng=np.random.default_rng(seed))
        return _numbered(volume, inside, found)
    values = np.asarray(volume.array[inside], dtype=np.float64)
    limits = interval_limits(values, classes)
    labels = np.zeros(volume.grid.shape, dtype=np.int32)
    labels[inside] = np.searchsorted(limits, values, side="left") + 1
    return labels


def cluster_gmm(volume: Volume, *, classes: int = 3, smoothness: float = 1.0, mask: Mask | None = None) -> np.ndarray:
    """Voxels in classes of a Gaussian mixture whose neighbours pull on each other, int32 labels from dark to bright.

    smoothness   how strongly the nearest neighbour of the same class counts, against the log-likelihood; neighbours
                 farther away in millimetres count less in proportion; 0 is the mixture alone

    The mixture starts from k-means; means and widths are estimated again between sweeps (mean field).

    Raises InputError for colour, NaN inside the mask, an empty mask, and fewer different intensities than classes.
    Source: Zhang Y et al., IEEE Trans Med Imaging 2001;20:45-57.
    """
    if volume.is_colour:
        raise InputError("gmm: expected one grey value per voxel, got colour; convert with `enhance grey` first")
    if not (np.isfinite(smoothness) and smoothness >= 0):
        raise InputError(f"smoothness: expected 0 or more, got {smoothness}")
    inside = _inside(volume, mask)
    values = np.asarray(volume.array[inside], dtype=np.float64)
    weights, means, widths = fit_mixture(values, classes)
    # Nothing outside the mask pulls, so that only the box around it is worked on.
    box = tuple(slice(int(line.min()), int(line.max()) + 1) for line in np.nonzero(inside))
    array = np.where(inside[box], volume.array[box], 0).astype(np.float32)
    if smoothness > 0:
        pulls = smoothness / relative_steps(volume)
        beliefs = smooth_beliefs(array, inside[box], (weights, means, widths), pulls)
    else:
        beliefs = log_likelihood(array, weights, means, widths)
    return _numbered(volume, inside, beliefs.argmax(axis=-1)[inside[box]])


def superpixels_slic(
    volume: Volume, *, segments: int = 200, compactness: float = 0.25, mask: Mask | None = None, steps: int = 10
) -> np.ndarray:
    """Compact pieces of even intensity that follow edges, int32 labels 1 … from dark to bright; each hangs together.

    segments      about how many; their cells are cubes in space as far as the voxels allow
    compactness   what a step as long as a cell counts against the image's whole range of intensity
    steps         times that centres and pieces are moved in turn

    Pieces smaller than a quarter of a cell are given to the nearest other ones.

    Raises InputError for NaN inside the mask and an empty mask.
    Source: Achanta R et al., IEEE Trans Pattern Anal Mach Intell 2012;34:2274-2282.
    """
    if segments < 1 or steps < 1 or not compactness > 0:
        raise InputError(
            f"slic: expected segments and steps of at least 1 and compactness above 0, got {segments}, {steps}, "
            f"{compactness}"
        )
    inside = _inside(volume, mask)
    features = _scaled_features(volume, inside)
    spacing = relative_steps(volume)
    cells, side = _cell_size(inside, spacing, segments)
    scales = compactness * spacing / side
    pieces = _grow_pieces(features, inside, cells, scales, steps)
    whole = _joined_pieces(pieces, inside, spacing, float(np.prod(cells)) / 4)
    return _numbered(volume, inside, whole[inside])


def _scaled_features(volume: Volume, inside: np.ndarray) -> np.ndarray:
    """Intensities (…, channels) of which the 1st to the 99th percentile is one unit long, float32."""
    array = volume.array if volume.is_colour else volume.array[..., None]
    low, high = np.percentile(array[inside], (1, 99))
    if high <= low:
        low, high = float(array[inside].min()), float(array[inside].max())
    scaled = (np.where(inside[..., None], array, low) - low) / (high - low if high > low else 1)
    return np.ascontiguousarray(scaled, dtype=np.float32)


def _cell_size(inside: np.ndarray, steps: np.ndarray, segments: int) -> tuple[np.ndarray, float]:
    """Voxels along each axis of cells that are cubes in space as far as voxels allow, and their side."""
    shape = np.asarray(inside.shape)
    extent, counts = shape * steps, np.ones(3)
    wanted = segments * inside.size / np.count_nonzero(inside)
    free, side = shape > 1, float(steps.min())
    while free.any():
        side = float((np.prod(extent[free]) * np.prod(counts[~free]) / wanted) ** (1 / free.sum()))
        # An axis shorter than a side is one cell long; one whose steps are longer has a cell for each.
        short, long = free & (extent < side), free & (steps > side)
        counts[long] = shape[long]
        if not (short | long).any():
            counts[free] = np.maximum(1, np.round(extent[free] / side))
            break
        free &= ~(short | long)
    return shape / counts, side


def _grow_pieces(
    features: np.ndarray, inside: np.ndarray, cells: np.ndarray, scales: np.ndarray, steps: int
) -> np.ndarray:
    """The cell (0 …) whose centre each voxel is nearest to in space and intensity, -1 outside."""
    from isocenter.imaging.segment.cluster_kernels import assign_superpixels

    # Centres are means of many voxels: in a large volume a part of these places them as well.
    most = max(1, round((inside.size / _MOST_VOXELS) ** (1 / 3)))
    strides = np.minimum(most, np.maximum(1, cells // 4)).astype(int)
    part = tuple(slice(None, None, stride) for stride in strides)
    counts = np.maximum(1, np.round(np.asarray(inside.shape) / cells)).astype(int)
    if strides.max() == 1 or not inside[part].any():
        strides, part = np.ones(3, dtype=int), (slice(None),) * 3
    centres = _moved_centres(features[part], inside[part], (counts, cells / strides, scales * strides), steps)
    centres[..., :3] *= strides
    pieces = np.asarray(assign_superpixels(features, inside, centres, cells, scales))
    # A voxel between cells that all lost their centres keeps its own cell.
    lost = inside & (pieces < 0)
    pieces[lost] = _cells_of(np.nonzero(lost), counts, cells)
    return pieces


def _moved_centres(
    features: np.ndarray, inside: np.ndarray, layout: tuple[np.ndarray, np.ndarray, np.ndarray], steps: int
) -> np.ndarray:
    """Mean place and features of each piece, (cells along slices, rows, columns, …), moved `steps` times.

    layout   how many cells along each axis, their sizes in voxels, and what a voxel along each axis adds to distances
    """
    from isocenter.imaging.segment.cluster_kernels import assign_superpixels

    counts, cells, scales = layout
    n_cells = int(np.prod(counts))
    places = np.nonzero(inside)
    features = np.ascontiguousarray(features)
    columns = [*places, *features[inside].T]
    nearest = _cells_of(places, counts, cells)
    centres = np.empty(0)
    for step in range(steps):
        if step:
            found = assign_superpixels(features, inside, centres, cells, scales)[inside]
            nearest = np.where(found >= 0, found, nearest)
        size = np.bincount(nearest, minlength=n_cells)
        sums = np.stack([np.bincount(nearest, column, minlength=n_cells) for column in columns], axis=1)
        centres = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], np.nan).reshape(*counts, -1)
    return centres


def _cells_of(places: tuple[np.ndarray, ...], counts: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The number of the cell that each place lies in."""
    lines = [
        np.minimum((place / cell).astype(int), n - 1) for place, cell, n in zip(places, cells, counts, strict=True)
    ]
    return np.asarray(np.ravel_multi_index(lines, tuple(int(n) for n in counts)))


def _joined_pieces(pieces: np.ndarray, inside: np.ndarray, spacing: np.ndarray, least: float) -> np.ndarray:
    """Connected pieces, numbered from 1; those smaller than `least` voxels go to the nearest larger one."""
    import cc3d
    from scipy import ndimage

    parts = np.asarray(cc3d.connected_components(np.where(inside, pieces + 1, 0).astype(np.uint32), connectivity=6))
    size = np.bincount(parts.ravel())
    size[0] = 0
    small = (size < least)[parts] & inside
    if not small.any() or not (inside & ~small).any():
        return parts
    nearest = ndimage.distance_transform_edt(
        small | ~inside, sampling=spacing, return_distances=False, return_indices=True
    )
    return np.where(small, parts[tuple(nearest)], parts)


def _inside(volume: Volume, mask: Mask | None) -> np.ndarray:
    """Which voxels take part; they must hold numbers."""
    if mask is not None:
        require_same_grid(volume.grid, mask.grid)
        if not mask.array.any():
            raise InputError("mask: expected at least one voxel inside, got none")
    inside = np.ones(volume.grid.shape, dtype=np.bool_) if mask is None else mask.array
    bad = int(np.count_nonzero(~np.isfinite(volume.array[inside])))
    if bad:
        raise InputError(f"clustering: expected finite voxels, got {bad} that are NaN or infinite; mask or fill them")
    return inside


def _numbered(volume: Volume, inside: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Labels 1 … by the mean intensity of each class, 0 outside."""
    grey = volume.array.mean(axis=-1) if volume.is_colour else volume.array
    count = np.bincount(found)
    means = np.bincount(found, np.asarray(grey[inside], dtype=np.float64)) / np.maximum(count, 1)
    order = np.argsort(np.where(count > 0, means, np.inf), kind="stable")
    rank = np.empty(means.size, dtype=np.int32)
    rank[order] = np.arange(1, means.size + 1)
    labels = np.zeros(volume.grid.shape, dtype=np.int32)
    labels[inside] = rank[found]
    return labels
