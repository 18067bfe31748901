"""Orthonormal wavelets: their defining conditions, published taps, and perfect reconstruction."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_separable import convolve
from isocenter.imaging.features.wavelet_tables import wavelet_filters

NAMES = ["haar", *(f"db{n}" for n in range(1, 11)), "coif1", "coif2", "coif3"]


@pytest.mark.parametrize("name", NAMES)
def test_even_shifts_are_orthonormal_and_the_high_pass_has_vanishing_moments(name: str):
    low, high = wavelet_filters(name)
    for shift in range(0, low.size, 2):
        assert (low[shift:] * low[: low.size - shift]).sum() == pytest.approx(float(shift == 0), abs=1e-9)
        assert (high[shift:] * high[: high.size - shift]).sum() == pytest.approx(float(shift == 0), abs=1e-9)
        assert (low[shift:] * high[: low.size - shift]).sum() == pytest.approx(0, abs=1e-9)
    assert low.sum() == pytest.approx(np.sqrt(2))
    moments = low.size // 2 if name.startswith(("haar", "db")) else low.size // 3
    place = np.linspace(-1, 1, low.size)
    for power in range(moments):
        assert (place**power * high).sum() == pytest.approx(0, abs=1e-6)


def test_daubechies_taps_are_the_published_ones():
    # Daubechies, Commun Pure Appl Math 1988;41:909-996, table 1 (N = 2 and 3).
    wanted = [0.482962913145, 0.836516303738, 0.224143868042, -0.129409522551]
    np.testing.assert_allclose(wavelet_filters("db2")[0][::-1], wanted, atol=1e-12)
    wanted = [0.332670552950, 0.806891509311, 0.459877502118, -0.135011020010, -0.085441273882, 0.035226291882]
    np.testing.assert_allclose(wavelet_filters("db3")[0][::-1], wanted, atol=1e-12)


def test_coiflet_scaling_functions_have_vanishing_moments_too():
    for order in (1, 2, 3):
        low, _ = wavelet_filters(f"coif{order}")
        place = np.arange(low.size) - round(float((np.arange(low.size) * low).sum() / np.sqrt(2)))
        for power in range(1, 2 * order):
            assert (place**power * low).sum() == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", ["haar", "db2", "db5", "coif1", "coif3"])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_both_passes_and_their_reversals_give_back_twice_the_signal(name: str, step: int):
    signal = np.random.default_rng(0).normal(size=(1, 2, 64)).astype(np.float32)
    total = np.zeros_like(signal)
    for taps in wavelet_filters(name):
        wide = np.zeros(taps.size * step)
        wide[::step] = taps
        seen = convolve(signal, [wide], 0, "periodic")
        total += convolve(seen, [wide], 0, "periodic", turned=True)
    # A kernel of even length lies half a voxel off its centre; seen from the other end it lies off to the other side.
    np.testing.assert_allclose(total, 2 * signal, atol=1e-5)


@pytest.mark.parametrize("name", ["db0", "db11", "coif4", "sym2", "db", ""])
def test_a_wavelet_that_we_do_not_have_is_named(name: str):
    with pytest.raises(InputError, match="db10"):
        wavelet_filters(name)
