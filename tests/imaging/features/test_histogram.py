import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.features.histogram import histogram_features, volume_histogram_features
from isocenter.imaging.features.radiomics_config import VolumeHistogram

NO_BOUNDS = (None, None)


def test_gradients_count_empty_bins_too():
    levels = np.repeat([1, 3, 4, 6], [50, 1, 16, 7])
    found = histogram_features(levels)
    counts = np.array([50, 0, 1, 16, 0, 7])
    slopes = np.gradient(counts.astype(float))
    assert found["max_grad"] == slopes.max() == 8
    assert found["min_grad"] == slopes.min() == -50
    assert (found["max_grad_g"], found["min_grad_g"], found["mode"]) == (3, 1, 1)
    shares = counts[counts > 0] / counts.sum()
    assert np.isclose(found["entropy"], -(shares * np.log2(shares)).sum())
    assert np.isclose(found["uniformity"], (shares**2).sum())


@pytest.mark.parametrize(("levels", "mode"), [([1, 1, 4, 4, 5], 4), ([1, 1, 5, 5, 3], 1), ([2, 2, 9, 9, 9], 9)])
def test_of_several_modes_the_one_nearest_to_the_mean_counts(levels, mode):
    assert histogram_features(np.array(levels))["mode"] == mode


def test_one_level_has_no_gradient():
    found = histogram_features(np.ones(4, int))
    assert (found["max_grad"], found["min_grad"], found["entropy"], found["uniformity"]) == (0, 0, 0, 1)


def test_discrete_curve_follows_its_definition():
    values = np.random.default_rng(0).integers(-30, 60, 200).astype(float)
    found = volume_histogram_features(values, VolumeHistogram("discrete"), bounds=(-50.0, 80.0))
    steps = np.arange(-50, 81)
    share = np.array([np.mean(values >= step) for step in steps])
    fraction = (steps + 50) / 130
    assert np.isclose(found["v10"], share[fraction >= 0.1].max())
    assert np.isclose(found["v90"], share[fraction >= 0.9].max())
    assert found["i10"] == steps[share <= 0.1].min()
    assert found["i90"] == steps[share <= 0.9].min()
    assert np.isclose(found["diff_v10_v90"], found["v10"] - found["v90"])
    assert np.isnan(found["auc"])


def test_continuous_curve_steps_over_bin_centres():
    values = np.array([0.1, 1.3, 1.4, 9.9])
    found = volume_histogram_features(values, VolumeHistogram("fbs", width=0.5), bounds=(0.0, 10.0))
    # Centres 0.25, 1.25, 1.25, 9.75 on a grid from 0.25 to 9.75.
    assert found["i90"] == 0.75
    assert found["i10"] == 10.25
    assert (found["v10"], found["v90"]) == (0.75, 0.25) or (found["v10"], found["v90"]) == (0.25, 0.25)


def test_binned_curve_gives_bin_numbers():
    values = np.linspace(0, 1, 1001)
    found = volume_histogram_features(values, VolumeHistogram("fbn", bins=1000), bounds=NO_BOUNDS)
    assert abs(found["i10"] - 901) <= 1
    assert abs(found["v10"] - 0.9) < 0.002


def test_fractions_have_no_discrete_curve():
    with pytest.raises(InputError, match="whole intensities"):
        volume_histogram_features(np.array([0.5, 1.0]), VolumeHistogram("discrete"), bounds=NO_BOUNDS)


def test_a_constant_has_no_intensity_fractions():
    found = volume_histogram_features(np.full(5, 3.0), VolumeHistogram("discrete"), bounds=NO_BOUNDS)
    assert np.isnan(found["v10"])
    assert found["i90"] == 4
