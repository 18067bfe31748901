"""PET lesions: 41 % of the maximum, fixed SUV, the steepest fall; on balls of known size and on real uptake."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.pet_segment import fixed_uptake, share_of_maximum, steepest_uptake


def lesions(spread=0.1, blur=1.0) -> tuple[Volume, np.ndarray, np.ndarray]:
    """A large lesion of SUV 10 and a small one of 4 in a background of 1; the two truths."""
    k, j, i = np.mgrid[:30, :40, :50]
    large = (k - 14) ** 2 + (j - 15) ** 2 + (i - 14) ** 2 <= 8**2
    small = (k - 15) ** 2 + (j - 25) ** 2 + (i - 38) ** 2 <= 5**2
    suv = gaussian_filter(1.0 + 9 * large + 3 * small, blur)
    suv += np.random.default_rng(0).normal(0, spread, suv.shape)
    return Volume(suv.astype(np.float32), Grid.of_spacing(suv.shape, (2.0, 2.0, 2.0)), "SUVbw", "PT"), large, small


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


def test_without_seeds_it_is_the_definition():
    volume, _, _ = lesions()
    np.testing.assert_array_equal(share_of_maximum(volume), volume.array >= np.float32(0.41) * volume.array.max())
    half = share_of_maximum(volume, percent=50)
    assert half.sum() < share_of_maximum(volume).sum()


def test_each_seed_is_held_against_its_own_hill():
    volume, large, small = lesions()
    found = share_of_maximum(volume, seed=((37, 24, 14),))
    # 41 % of a lesion four times as hot as its surroundings lies below half the step: too large by definition.
    assert 0.8 < dice(found, small) < 0.9
    assert found[small].all()
    assert not (found & large).any()
    both = share_of_maximum(volume, seed=((37, 24, 14), (16, 13, 15)))
    assert dice(both, large | small) > 0.9


def test_the_share_does_not_know_the_unit():
    volume, _, _ = lesions()
    other = Volume(volume.array * 2000, volume.grid, "Bq/ml", "PT")
    np.testing.assert_array_equal(share_of_maximum(other), share_of_maximum(volume))


def test_a_fixed_uptake_is_a_threshold_in_suv_only():
    volume, large, _ = lesions()
    np.testing.assert_array_equal(fixed_uptake(volume, suv=2.5), volume.array >= 2.5)
    assert not (fixed_uptake(volume, suv=2.5, seed=((38, 25, 15),)) & large).any()
    with pytest.raises(InputError, match="SUV"):
        fixed_uptake(Volume(volume.array, volume.grid, "Bq/ml", "PT"))


@pytest.mark.parametrize("blur", [0.7, 1.5])
def test_the_steepest_fall_finds_the_size_whatever_the_contrast(blur):
    volume, large, small = lesions(blur=blur)
    assert dice(steepest_uptake(volume), large) > 0.9
    assert dice(steepest_uptake(volume, seed=((38, 25, 15),)), small) > 0.75


def test_nothing_hot_is_named():
    grid = Grid.of_spacing((3, 3, 3), (1.0, 1.0, 1.0))
    cold = np.zeros((3, 3, 3), np.float32)
    cold[0, 0, 0] = -1
    for function in (share_of_maximum, fixed_uptake, steepest_uptake):
        with pytest.raises(InputError, match="uptake"):
            function(Volume(cold, grid, "SUVbw", "PT"))
    with pytest.raises(InputError, match="--percent"):
        share_of_maximum(lesions()[0], percent=0)


@pytest.mark.data
def test_41_percent_finds_the_uptake_that_it_is_defined_by_in_a_real_sarcoma(data_dir):
    from isocenter.app.image_files import open_image, open_labels

    folder = data_dir / "sts_ct_pet_mr_tumour" / "STS_003"
    volume = open_image(folder / "PET_image.nii.gz")
    tumour = open_labels(folder / "PET_mask.nii.gz", volume).array > 0
    k, j, i = np.unravel_index(int(np.argmax(np.where(tumour, volume.array, 0))), tumour.shape)
    found = share_of_maximum(volume, seed=((int(i), int(j), int(k)),))
    assert volume.array[found].min() >= 0.41 * volume.array[tumour].max()
    assert dice(found, tumour) > 0.8
