"""Clustering and texture: ours against scikit-learn, scikit-image and what a textbook would do, on known truth.

Rows of quality compare the adjusted Rand index or the share of pixels in the right class (ratio: ours over the peer's);
rows of time alternate ours and the peer's, medians in seconds (ratio: the peer's over ours).
`python benchmarks/clustering.py` prints JSON; `--runs N` and `--mosaics N` shorten it.
"""

import argparse
import json
import statistics

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.evaluation.segmentation import adjusted_rand_index
from isocenter.imaging.phantoms_texture import texture_mosaic
from isocenter.imaging.segment.cluster import cluster_gmm, cluster_kmeans, superpixels_slic
from isocenter.imaging.segment.texture import segment_texture
from timing import Row, paired_medians_s

SPACING_MM = (1.5, 1.0, 1.0)
NOISE, BIAS = 18.0, 0.08


def brain(seed: int) -> tuple[Volume, np.ndarray]:
    """Fluid, grey and white matter in folded shells with noise and a slow bias, and the tissue of each voxel."""
    k, j, i = np.mgrid[:96, :160, :160].astype(np.float32)
    z, y, x = (k - 47.5) / 46, (j - 79.5) / 74, (i - 79.5) / 68
    radius = np.sqrt(z**2 + y**2 + x**2) + 0.03 * np.sin(11 * np.arctan2(y, x)) + 0.03 * np.sin(9 * z)
    truth = np.select([radius < 0.66, radius < 0.88, radius < 1], [3, 2, 1], 0).astype(np.int32)
    truth[(z * 1.5) ** 2 + (y * 2.6) ** 2 + (x * 3.2) ** 2 < 0.3] = 1
    values = np.array((0.0, 40.0, 90.0, 130.0))[truth] * (1 + BIAS * (0.6 * x + 0.4 * y))
    values += np.random.default_rng(seed).normal(0, NOISE, truth.shape)
    return Volume(values.astype(np.float32), Grid.of_spacing(truth.shape, SPACING_MM), modality="MR"), truth


def matched(truth: np.ndarray, labels: np.ndarray) -> float:
    """Share of voxels in the right class when classes are matched as well as they can be."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((truth.max() + 1, labels.max() + 1))
    np.add.at(table, (truth.ravel(), labels.ravel()), 1)
    return float(table[linear_sum_assignment(-table)].sum() / truth.size)


def textbook_textures(picture: np.ndarray, classes: int) -> np.ndarray:
    """Gabor energies of scikit-image, averaged and clustered by scikit-learn."""
    from scipy import ndimage
    from skimage.filters import gabor
    from sklearn.cluster import KMeans

    maps = []
    for frequency in (1 / 3, 1 / 5, 1 / 8, 1 / 12):
        for angle in np.pi * np.arange(6) / 6:
            real, imaginary = gabor(picture.astype(float), frequency, theta=angle)
            maps.append(ndimage.gaussian_filter(np.hypot(real, imaginary), 9))
    rows = np.stack(maps, axis=-1).reshape(-1, len(maps))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return np.asarray(KMeans(classes, n_init=5, random_state=0).fit_predict(rows).reshape(picture.shape) + 1)


def quality(name: str, ours: float, peer: float, unit: str) -> Row:
    return {"name": name, "ours": round(ours, 4), "peer": round(peer, 4), "ratio": round(ours / peer, 2), "unit": unit}


def speed(name: str, seconds: tuple[float, float]) -> Row:
    ours, peer = seconds
    return {"name": name, "ours": round(ours, 3), "peer": round(peer, 3), "ratio": round(peer / ours, 2), "unit": "s"}


def tissue_rows(n_runs: int) -> list[Row]:
    """k-means, mixture and superpixels on a phantom brain."""
    from skimage.segmentation import slic
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    volume, truth = brain(0)
    inside = truth > 0
    mask, values, known = Mask(inside, volume.grid), volume.array[inside][:, None], truth[inside]
    mixture, means = GaussianMixture(3, random_state=0), KMeans(3, n_init=3, random_state=0)
    ours = [adjusted_rand_index(known, cluster(volume, mask=mask)[inside]) for cluster in (cluster_kmeans, cluster_gmm)]
    peers = [adjusted_rand_index(known, peer.fit_predict(values)) for peer in (means, mixture)]
    pieces = superpixels_slic(volume, segments=2000)
    around = tuple(float(step) for step in SPACING_MM)

    def peer_pieces() -> np.ndarray:
        return np.asarray(slic(volume.array, 2000, compactness=20, channel_axis=None, spacing=around, start_label=1))

    kept = []
    for labels in (pieces, peer_pieces()):
        table = np.zeros((labels.max() + 1, 4))
        np.add.at(table, (labels.ravel(), truth.ravel()), 1)
        kept.append(float(table.max(axis=1).sum() / truth.size))
    return [
        quality("phantom brain, k-means: ours, sklearn KMeans", ours[0], peers[0], "adjusted Rand index"),
        quality("phantom brain, GMM: ours on a field, sklearn mixture", ours[1], peers[1], "adjusted Rand index"),
        quality("phantom brain, 2000 superpixels: ours, skimage slic", kept[0], kept[1], "achievable accuracy"),
        speed("k-means, 3 classes: ours, sklearn", paired_medians_s(
            lambda: cluster_kmeans(volume, mask=mask), lambda: means.fit_predict(values), n_runs)),
        speed("GMM on a field: ours, sklearn mixture alone", paired_medians_s(
            lambda: cluster_gmm(volume, mask=mask), lambda: mixture.fit_predict(values), n_runs)),
        speed("2000 superpixels: ours, skimage slic", paired_medians_s(
            lambda: superpixels_slic(volume, segments=2000), peer_pieces, n_runs)),
    ]  # fmt: skip


def texture_rows(n_mosaics: int) -> list[Row]:
    """Mosaics of five textures: the mean and the worst."""
    ours, peer = [], []
    for seed in range(100, 100 + n_mosaics):
        volume, truth = texture_mosaic(256, n_textures=5, rng=np.random.default_rng(seed))
        ours.append(matched(truth, segment_texture(volume, classes=5)))
        peer.append(matched(truth, textbook_textures(volume.array[0], 5)[None]))
    return [
        quality(
            f"five-texture mosaic, mean of {n_mosaics}", statistics.mean(ours), statistics.mean(peer), "share right"
        ),
        quality(f"five-texture mosaic, worst of {n_mosaics}", min(ours), min(peer), "share right"),
    ]


def run(n_runs: int = 3, n_mosaics: int = 20) -> list[Row]:
    """All rows."""
    return [*tissue_rows(n_runs), *texture_rows(n_mosaics)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mosaics", type=int, default=20)
    given = parser.parse_args()
    print(json.dumps(run(given.runs, given.mosaics), indent=1))
