from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import LabelMap
from isocenter.core.volume import Volume
from isocenter.imaging.fuse import bring_onto, covered_share, fuse_pca, fuse_wavelet, joint_table

GRID = Grid.of_spacing((12, 20, 24), (3.0, 2.0, 2.0), (-20.0, 5.0, 10.0))
RNG = np.random.default_rng(0)


def linear_on(grid):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    return Volume((grid.to_world_mm(index) @ (1.0, -2.0, 0.5)).astype(np.float32), grid)


def test_a_place_keeps_its_value_on_another_grid():
    other = Grid.of_spacing((30, 40, 50), (1.5, 1.3, 1.1), (-22.0, 3.0, 8.0))
    moved = bring_onto(linear_on(GRID), linear_on(other))
    inside = bring_onto(linear_on(GRID), Volume(np.ones(other.shape, np.float32), other)).array > 0
    assert inside.mean() > 0.5
    np.testing.assert_allclose(moved.array[inside], linear_on(GRID).array[inside], atol=1.2)


def weighted_centre(volume):
    index = np.argwhere(volume.array > 0)
    return np.average(volume.grid.to_world_mm(index), axis=0, weights=volume.array[volume.array > 0])


def test_a_mask_becomes_shares_with_its_centre():
    fine = Grid.of_spacing((36, 40, 48), (1.0, 1.0, 1.0), (-20.0, 5.0, 10.0))
    mask = np.zeros(fine.shape, np.uint8)
    mask[8:23, 10:30, 12:30] = 1
    coarse = Grid.of_spacing((13, 14, 15), (3.0, 3.1, 3.3), (-19.0, 6.0, 9.5))
    there = bring_onto(linear_on(coarse), Volume(mask, fine))
    again = bring_onto(linear_on(fine), there)
    assert 0 < there.array.min() + there.array.max() <= 1
    assert np.linalg.norm(weighted_centre(again) - weighted_centre(there)) < 0.1
    assert np.linalg.norm(weighted_centre(there) - weighted_centre(Volume(mask, fine))) < 0.1


def test_images_that_share_no_place_are_refused():
    away = replace(GRID, affine=Grid.of_spacing(GRID.shape, (3.0, 2.0, 2.0), (900.0, 0.0, 0.0)).affine)
    assert covered_share(GRID, away) == 0
    with pytest.raises(GeometryError, match="share none"):
        bring_onto(linear_on(GRID), linear_on(away))


def test_pictures_without_a_place_need_one_size():
    one, other = Grid.of_pixels((1, 8, 9)), Grid.of_pixels((1, 8, 7))
    picture = Volume(np.zeros((1, 8, 9), np.uint8), one)
    assert bring_onto(picture, picture).grid is one
    with pytest.raises(GeometryError, match="register"):
        bring_onto(picture, Volume(np.zeros((1, 8, 7), np.uint8), other))


def test_an_image_fused_with_itself_is_itself():
    noise = Volume(RNG.random(GRID.shape).astype(np.float32), GRID)
    whole = fuse_wavelet(noise, noise)
    assert np.corrcoef(whole.array.ravel(), noise.array.ravel())[0, 1] > 0.999
    fused, weights = fuse_pca(noise, noise)
    assert weights == pytest.approx((0.5, 0.5))
    assert np.corrcoef(fused.array.ravel(), noise.array.ravel())[0, 1] > 0.999


def test_the_maximum_keeps_the_detail_of_both():
    left, right = (np.zeros(GRID.shape, np.float32) + 0.5 for _ in range(2))
    left[:, ::4, :12] = 1
    right[:, ::4, 12:] = 1
    fused = {rule: fuse_wavelet(Volume(left, GRID), Volume(right, GRID), rule=rule) for rule in ("maximum", "average")}
    for half in (np.s_[:, :, :10], np.s_[:, :, 14:]):
        assert fused["maximum"].array[half].std() > 1.5 * fused["average"].array[half].std()


def test_the_stronger_image_weighs_more_in_the_principal_component():
    signal = RNG.random(GRID.shape)
    weak = np.where(RNG.random(GRID.shape) < 0.01, 1.0, 0.5 + 0.05 * signal)
    weights = fuse_pca(Volume(signal.astype(np.float32), GRID), Volume(weak.astype(np.float32), GRID))[1]
    assert weights[0] > 0.8
    assert sum(weights) == pytest.approx(1)


def test_the_table_holds_what_a_hand_would_count():
    labels = np.zeros(GRID.shape, np.int32)
    labels[:2], labels[2:4] = 1, 2
    one = RNG.normal(10, 2, GRID.shape)
    other = np.where(labels == 1, 3 * one + 1, RNG.normal(0, 1, GRID.shape))
    first, second = (Volume(array.astype(np.float32), GRID) for array in (one, other))
    rows = joint_table(first, second, LabelMap(labels, GRID))
    assert [row.label for row in rows] == [1, 2]
    assert rows[0].n_voxels == 2 * 20 * 24
    assert rows[0].mean_second == pytest.approx(3 * rows[0].mean_first + 1, rel=1e-5)
    assert rows[0].correlation == pytest.approx(1)
    assert abs(rows[1].correlation) < 0.1
    assert rows[0].information_nats > 5 * rows[1].information_nats
    assert joint_table(first, second)[0].n_voxels == first.array.size


def test_unknown_voxels_and_constants_give_no_numbers_that_lie():
    flat = Volume(np.ones(GRID.shape, np.float32), GRID)
    row = joint_table(linear_on(GRID), flat)[0]
    assert np.isnan(row.correlation)
    assert row.information_nats == 0
    spoiled = linear_on(GRID).array.copy()
    spoiled[0] = np.nan
    assert joint_table(flat.with_array(spoiled), flat)[0].n_voxels == 11 * 20 * 24


def test_other_grids_and_rules_are_refused():
    with pytest.raises(GeometryError, match="one grid"):
        fuse_pca(linear_on(GRID), Volume(np.zeros((2, 2, 2), np.float32), Grid.of_spacing((2, 2, 2), (1.0, 1.0, 1.0))))
    with pytest.raises(InputError, match="maximum or average"):
        fuse_wavelet(linear_on(GRID), linear_on(GRID), rule="best")


@pytest.mark.data
@pytest.mark.parametrize(("first", "second"), [("CT", "PET"), ("MR_T1", "CT"), ("PET", "CT")])
def test_tumours_of_three_scanners_keep_their_centres(data_dir, first, second):
    """Sarcomas: the centre of one scanner's mask on another's grid, against its own and that one's mask."""
    from isocenter.io.nifti import read_nifti

    for folder in sorted((data_dir / "sts_ct_pet_mr_tumour").glob("STS_*"))[::4]:
        masks = [read_nifti(folder / f"{name}_mask.nii.gz") for name in (first, second)]
        centre = weighted_centre(bring_onto(*masks))
        assert np.linalg.norm(centre - weighted_centre(masks[1])) < 0.1, folder.name
        assert np.linalg.norm(centre - weighted_centre(masks[0])) < 0.4, folder.name
