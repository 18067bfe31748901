import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.partial_volume import estimate_volume

SHAPE = (24, 24, 24)


def ball(rng: np.random.Generator, radius: float, fine: int = 4) -> tuple[np.ndarray, float]:
    """How much of each voxel a ball fills, and its true volume in voxels."""
    centre = 11.5 + rng.uniform(-0.5, 0.5, 3)
    axes = [(np.arange(n * fine) + 0.5) / fine - 0.5 - c for n, c in zip(SHAPE, centre, strict=True)]
    inside = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2 <= radius**2
    shares = inside.reshape(SHAPE[0], fine, SHAPE[1], fine, SHAPE[2], fine).mean(axis=(1, 3, 5))
    return shares, 4 / 3 * np.pi * radius**3


def test_the_truth_lies_within_the_uncertainty_in_ninety_five_of_a_hundred_noisy_balls():
    rng = np.random.default_rng(1)
    errors, stated, counted = [], [], []
    for _ in range(40):
        shares, truth = ball(rng, rng.uniform(3.5, 7.0))
        array = -800 + 840 * shares + rng.normal(0, 30, SHAPE)
        mask = Mask(shares > 0.5, Grid.of_spacing(SHAPE, (10.0, 10.0, 10.0)))
        found = estimate_volume(array, mask)
        assert found is not None and found.inside == pytest.approx(40, abs=20)
        errors.append(abs(found.volume_ml - truth))
        stated.append(found.uncertainty_ml)
        counted.append(abs(mask.n_voxels - truth))
    assert np.mean(np.array(errors) <= stated) >= 0.95
    assert np.mean(errors) < np.mean(counted)
    assert np.mean(stated) < 0.1 * 4 / 3 * np.pi * 6**3


def test_few_voxels_inside_make_the_levels_uncertain_too():
    rng = np.random.default_rng(9)
    hits = []
    for _ in range(120):
        shares, truth = ball(rng, rng.uniform(2.2, 2.9))
        mask = Mask(shares > 0.5, Grid.of_spacing(SHAPE, (10.0, 10.0, 10.0)))
        found = estimate_volume(shares * 100 + rng.normal(0, 18, SHAPE), mask)
        if found is not None:
            hits.append(abs(found.volume_ml - truth) <= found.uncertainty_ml)
    assert len(hits) > 60 and np.mean(hits) >= 0.93


def test_a_mask_drawn_a_little_too_small_gains_what_it_lacks():
    shares, truth = ball(np.random.default_rng(3), 7.0)
    small = Mask(shares > 0.7, Grid.of_spacing(SHAPE, (10.0, 10.0, 10.0)))
    found = estimate_volume(shares * 100.0, small)
    assert found is not None
    assert abs(found.volume_ml - truth) < 0.25 * abs(small.n_voxels - truth)


def test_there_is_no_answer_without_contrast_core_or_free_surroundings():
    shares, _ = ball(np.random.default_rng(3), 6.0)
    mask = Mask(shares > 0.5, Grid.of_spacing(SHAPE, (1.0, 1.0, 1.0)))
    rng = np.random.default_rng(5)
    assert estimate_volume(rng.normal(0, 1, SHAPE), mask) is None
    assert estimate_volume(np.ones(SHAPE), mask) is None
    wall = np.where(np.arange(24) >= 14, 100.0, shares * 100.0)
    assert estimate_volume(wall, mask) is None
    tiny = np.zeros(SHAPE, bool)
    tiny[5, 5, 5:7] = True
    assert estimate_volume(tiny * 100.0, Mask(tiny, mask.grid)) is None
    uneven = np.where(np.arange(24) < 12, 30.0, 100.0) * shares
    assert estimate_volume(uneven, mask) is None


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="voxels in it"):
        estimate_volume(np.ones(SHAPE), Mask(np.zeros(SHAPE, bool), Grid.of_spacing(SHAPE, (1.0, 1.0, 1.0))))
