"""Clustering on phantoms with known truth, beside scikit-learn and scikit-image, and on what it must refuse."""

from itertools import pairwise
from pathlib import Path

import cc3d
import numpy as np
import pytest
from skimage.segmentation import slic
from sklearn.mixture import GaussianMixture

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.evaluation.segmentation import adjusted_rand_index
from isocenter.imaging.segment import cluster, mixture
from isocenter.imaging.segment.cluster import cluster_gmm, cluster_kmeans, superpixels_slic


def brain(noise: float, bias: float = 0.0, seed: int = 0) -> tuple[Volume, np.ndarray]:
    """Fluid, grey and white matter in folded shells, with noise and a slow bias; and the truth (0 outside)."""
    k, j, i = np.mgrid[:24, :96, :96].astype(float)
    z, y, x = (k - 11.5) / 14, (j - 47.5) / 44, (i - 47.5) / 40
    angle = np.arctan2(y, x)
    radius = np.sqrt(z**2 + y**2 + x**2) + 0.03 * np.sin(9 * angle) + 0.02 * np.sin(7 * z * 3)
    truth = np.zeros(k.shape, dtype=np.int32)
    truth[radius < 1], truth[radius < 0.9], truth[radius < 0.68] = 1, 2, 3
    truth[np.sqrt((z * 1.2) ** 2 + (y * 2.4) ** 2 + (x * 3) ** 2) < 0.5] = 1
    field = 1 + bias * (0.6 * x + 0.4 * y)
    values = np.array((0, 40, 90, 130))[truth] * field
    values += np.random.default_rng(seed).normal(0, noise, truth.shape)
    return Volume(values.astype(np.float32), Grid.of_spacing(truth.shape, (3, 1, 1)), modality="MR"), truth


def test_the_field_holds_a_noisy_brain_together_better_than_a_mixture_alone():
    volume, truth = brain(noise=22)
    mask = Mask(truth > 0, volume.grid)
    fields = [cluster_gmm(volume, classes=3, smoothness=s, mask=mask)[mask.array] for s in (0.0, 1.0)]
    peer = GaussianMixture(3, random_state=0).fit_predict(volume.array[mask.array][:, None])
    index = [adjusted_rand_index(truth[mask.array], labels) for labels in (peer, *fields)]
    assert index[1] >= index[0] - 0.02
    assert index[2] > 0.9 > index[1]


def test_a_slow_bias_of_a_fifth_is_borne():
    volume, truth = brain(noise=10, bias=0.1)
    labels = cluster_gmm(volume, classes=3, mask=Mask(truth > 0, volume.grid))
    assert adjusted_rand_index(truth[truth > 0], labels[truth > 0]) > 0.9


def test_labels_run_from_dark_to_bright_and_are_zero_outside():
    volume, truth = brain(noise=8)
    mask = Mask(truth > 0, volume.grid)
    for labels in (
        cluster_kmeans(volume, mask=mask),
        cluster_gmm(volume, mask=mask),
        superpixels_slic(volume, mask=mask),
    ):
        assert labels.dtype == np.int32 and labels.shape == volume.grid.shape
        np.testing.assert_array_equal(labels > 0, truth > 0)
        means = [volume.array[labels == n].mean() for n in range(1, labels.max() + 1)]
        assert means == sorted(means)


def test_kmeans_of_grey_values_is_a_set_of_intervals():
    volume, _ = brain(noise=12)
    labels = cluster_kmeans(volume, classes=4)
    ends = [(volume.array[labels == n].min(), volume.array[labels == n].max()) for n in (1, 2, 3, 4)]
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_colour_is_clustered_by_colour():
    rng = np.random.default_rng(0)
    colours = np.array([(200, 30, 30), (30, 200, 30), (40, 40, 220)])
    truth = rng.integers(0, 3, (1, 30, 30))
    volume = Volume(
        np.clip(colours[truth] + rng.normal(0, 9, (1, 30, 30, 3)), 0, 255).astype(np.uint8), Grid.of_pixels((1, 30, 30))
    )
    assert adjusted_rand_index(truth, cluster_kmeans(volume, classes=3)) == 1


def test_superpixels_hang_together_and_follow_edges_better_than_scikit_image():
    volume, truth = brain(noise=12)
    ours = superpixels_slic(volume, segments=300)
    assert 200 <= ours.max() <= 400
    _, pieces = cc3d.connected_components(ours.astype(np.uint32), connectivity=6, return_N=True)
    assert pieces == ours.max()
    peer = slic(volume.array, ours.max(), compactness=20, channel_axis=None, spacing=(3, 1, 1), start_label=1)
    kept = [
        sum(np.bincount(truth[labels == n]).max() for n in np.unique(labels)) / truth.size for labels in (ours, peer)
    ]
    assert kept[0] > 0.95
    assert kept[0] >= kept[1]


def test_superpixels_of_a_flat_picture_are_its_grid():
    flat = Volume(np.zeros((1, 40, 60)), Grid.of_pixels((1, 40, 60)))
    labels = superpixels_slic(flat, segments=24)
    assert labels.max() == 24
    assert np.bincount(labels.ravel())[1:].tolist() == [100] * 24


def test_cells_are_cubes_in_space_where_voxels_are_not():
    flat = Volume(np.zeros((10, 40, 40)), Grid.of_spacing((10, 40, 40), (4, 1, 1)))
    labels = superpixels_slic(flat, segments=64)
    assert labels.max() == 64
    k, j, i = np.nonzero(labels == 1)
    assert np.ptp(j) + 1 == np.ptp(i) + 1 == 10
    assert 2 <= np.ptp(k) + 1 <= 3
    thick = Volume(np.zeros((3, 40, 40)), Grid.of_spacing((3, 40, 40), (20, 1, 1)))
    assert superpixels_slic(thick, segments=48).max() == 48


def test_voxels_twenty_times_longer_than_wide_are_clustered():
    volume = Volume(np.random.default_rng(0).normal(size=(4, 20, 20)), Grid.of_spacing((4, 20, 20), (20, 1, 1)))
    assert set(np.unique(cluster_gmm(volume, classes=2))) == {1, 2}


@pytest.mark.parametrize("sort", [cluster_kmeans, cluster_gmm])
def test_what_cannot_be_clustered_is_named(sort):
    grid = Grid.of_spacing((2, 4, 4), (1, 1, 1))
    values = np.arange(32.0).reshape(2, 4, 4)
    with pytest.raises(InputError, match="at least 3 different intensities, got 1"):
        sort(Volume(np.ones((2, 4, 4)), grid))
    with pytest.raises(InputError, match="classes: expected 2 to 64"):
        sort(Volume(values, grid), classes=1)
    with pytest.raises(InputError, match="got none"):
        sort(Volume(values, grid), mask=Mask(np.zeros((2, 4, 4), dtype=bool), grid))
    with pytest.raises(GeometryError):
        sort(Volume(values, grid), mask=Mask(np.ones((2, 4, 4), dtype=bool), Grid.of_spacing((2, 4, 4), (2, 1, 1))))
    holed = values.copy()
    holed[0, 0, 0] = np.inf
    with pytest.raises(InputError, match="1 that are NaN or infinite"):
        sort(Volume(holed, grid))
    # A mask takes the bad voxel out.
    around = np.isfinite(holed)
    assert sort(Volume(holed, grid), mask=Mask(around, grid))[0, 0, 0] == 0


def test_colour_and_bad_numbers_are_refused_where_they_make_no_sense():
    with pytest.raises(InputError, match="colour"):
        cluster_gmm(Volume(np.zeros((1, 4, 4, 3)), Grid.of_pixels((1, 4, 4))))
    flat = Volume(np.arange(16.0).reshape(1, 4, 4), Grid.of_pixels((1, 4, 4)))
    with pytest.raises(InputError, match="smoothness"):
        cluster_gmm(flat, smoothness=-1)
    for given in ({"segments": 0}, {"compactness": 0}, {"steps": 0}):
        with pytest.raises(InputError, match="slic"):
            superpixels_slic(flat, **given)
    assert superpixels_slic(flat, segments=1000).max() <= 16


def test_a_part_of_the_voxels_teaches_what_all_of_them_do(monkeypatch):
    volume, truth = brain(noise=12)
    mask = Mask(truth > 0, volume.grid)
    known = truth[mask.array]
    whole = cluster_gmm(volume, mask=mask)[mask.array]
    pieces = superpixels_slic(volume, segments=300)
    monkeypatch.setattr(mixture, "_MOST_VALUES", 40_000)
    monkeypatch.setattr(cluster, "_MOST_VOXELS", 20_000)
    part = cluster_gmm(volume, mask=mask)[mask.array]
    assert (part == whole).mean() > 0.98
    assert adjusted_rand_index(known, part) > 0.9
    fewer = superpixels_slic(volume, segments=300)
    assert not np.array_equal(fewer, pieces)
    assert abs(int(fewer.max()) - int(pieces.max())) < 0.1 * pieces.max()
    kept = sum(np.bincount(truth[fewer == n]).max() for n in range(1, fewer.max() + 1)) / truth.size
    assert kept > 0.94


@pytest.mark.data
def test_tissue_of_a_real_brain_keeps_its_order_and_its_pieces(data_dir: Path):
    from isocenter.imaging.spatial import crop_to_box
    from isocenter.io.load import load

    head = load(data_dir / "ms_lesions_mni_4modal" / "patient07" / "T1.nii.gz")
    head = crop_to_box(head, (80, 0, 0), (105, head.grid.shape[1], head.grid.shape[2]))
    mask = Mask(head.array > 200, head.grid)
    plain, field = (cluster_gmm(head, classes=3, smoothness=s, mask=mask) for s in (0.0, 1.0))
    # Fluid, grey and white matter each hold a fair share of the brain, and the field ties lone voxels to their tissue.
    share = np.bincount(field[mask.array], minlength=4)[1:] / mask.n_voxels
    assert (share > 0.1).all()
    pieces = [sum(int(cc3d.connected_components(part == n).max()) for n in (1, 2, 3)) for part in (plain, field)]
    assert pieces[1] < 0.8 * pieces[0]


@pytest.mark.data
@pytest.mark.parametrize(("image", "organs"), [("example_ct_sm", "example_seg"), ("example_mr_sm", "example_seg_mr")])
def test_superpixels_of_real_torsos_keep_to_their_organs(data_dir: Path, image: str, organs: str):
    from isocenter.io.load import load

    volume, masks = (load(data_dir / "ct_mr_organ_masks_small" / f"{name}.nii.gz") for name in (image, organs))
    values = np.clip(volume.array, -160, 240) if image == "example_ct_sm" else volume.array
    pieces = superpixels_slic(volume.with_array(values.astype(np.float32)), segments=3000)
    known = masks.array.astype(int)
    table = np.zeros((pieces.max() + 1, known.max() + 1))
    np.add.at(table, (pieces[known > 0], known[known > 0]), 1)
    assert table.max(axis=1).sum() / (known > 0).sum() > 0.96
