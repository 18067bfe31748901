import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.phantoms import NoduleWish, chest_phantom, sphere_phantom

SMALL = {"shape": (40, 160, 160), "spacing_mm": (5.0, 2.0, 2.0), "scan": None}


@pytest.fixture(scope="module")
def phantom():
    wishes = (NoduleWish(12.0), NoduleWish(14.0, "pleura"))
    return chest_phantom(np.random.default_rng(5), wishes=wishes, **SMALL)


def test_nodules_are_as_large_as_wished(phantom):
    assert sorted(round(n.mean_diameter_mm, 6) for n in phantom.nodules) == [12.0, 14.0]


def test_nodule_centres_have_the_nodules_attenuation(phantom):
    for nodule in phantom.nodules:
        k, j, i = np.round(phantom.volume.grid.to_index(np.array(nodule.body.centre_mm))).astype(int)
        assert abs(phantom.clean[k, j, i] - nodule.hu) < 60


def test_calcium_has_a_score_on_the_noise_free_grid(phantom):
    assert phantom.agatston_score > 0


def test_same_seed_gives_the_same_voxels(phantom):
    again = chest_phantom(np.random.default_rng(5), wishes=(NoduleWish(12.0), NoduleWish(14.0, "pleura")), **SMALL)
    assert np.array_equal(again.volume.array, phantom.volume.array)


def test_a_nodule_too_large_for_the_lung_is_refused():
    with pytest.raises(InputError, match="no room"):
        chest_phantom(np.random.default_rng(5), wishes=(NoduleWish(150.0),), **SMALL)


def test_spheres_of_the_calibration_block_have_their_volume():
    volume, spheres = sphere_phantom((4.0, 8.0), spacing_mm=(1.0, 0.7, 0.7))
    share = (volume.array + 850) / 880
    assert abs(share.sum() * volume.grid.voxel_volume_ml / sum(s.volume_ml for s in spheres) - 1) < 0.01
