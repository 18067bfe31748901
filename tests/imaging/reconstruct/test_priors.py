import numpy as np
import pytest

from isocenter.imaging.reconstruct.priors import TotalVariation, WaveletSparsity, soft_threshold, total_variation


def test_total_variation_of_a_square_is_its_circumference():
    image = np.zeros((20, 20), np.float32)
    image[5:15, 5:15] = 2
    assert total_variation(image) == pytest.approx(2 * (40 - 2 + np.sqrt(2)))


def test_the_proximal_map_finds_a_lower_cost_than_its_neighbours():
    rng = np.random.default_rng(0)
    noisy = rng.standard_normal((24, 20)).astype(np.float32) + 3
    best = TotalVariation(n_steps=400)(noisy, 0.7)

    def cost(image: np.ndarray) -> float:
        return float(0.5 * ((image - noisy) ** 2).sum() + 0.7 * total_variation(image))

    lowest = cost(best)
    assert lowest < cost(noisy)
    for _ in range(20):
        assert cost(best + 0.02 * rng.standard_normal(best.shape)) > lowest


def test_the_same_as_scikit_image():
    from skimage.restoration import denoise_tv_chambolle

    noisy = np.random.default_rng(1).standard_normal((30, 30)) + 5
    theirs = denoise_tv_chambolle(noisy, weight=0.5, eps=1e-9, max_num_iter=2000)
    ours = TotalVariation(n_steps=500)(noisy.astype(np.float32), 0.5)
    assert np.abs(ours - theirs).max() < 0.05


def test_a_map_of_strengths_smooths_where_it_is_strong():
    noisy = np.random.default_rng(2).standard_normal((30, 30)).astype(np.float32) + 9
    strength = np.full((30, 30), 1e-4)
    strength[:, :15] = 50
    out = TotalVariation(n_steps=500)(noisy, strength)
    assert out[:, :12].std() < 0.2 * noisy[:, :12].std()
    np.testing.assert_allclose(out[:, 18:], noisy[:, 18:], atol=0.05)


def test_nothing_is_below_zero_unless_allowed():
    noisy = np.random.default_rng(3).standard_normal((9, 9)).astype(np.float32)
    assert TotalVariation()(noisy, 0.1).min() >= 0
    assert TotalVariation(is_positive=False)(noisy, 0.0) == pytest.approx(noisy)


def test_soft_thresholds_keep_the_phase():
    values = np.array([3 + 4j, 0.3j, 0.0])
    assert soft_threshold(values, 1.0) == pytest.approx([0.8 * (3 + 4j), 0, 0])


def test_sparse_wavelets_keep_an_edge_and_lose_the_noise():
    clean = np.zeros((64, 64), np.float32)
    clean[20:44, 16:50] = 1
    noisy = clean + 0.1 * np.random.default_rng(4).standard_normal(clean.shape).astype(np.float32)
    prior = WaveletSparsity(np.random.default_rng(5))
    mean = np.mean([prior(noisy, 0.3) for _ in range(8)], axis=0)
    assert np.mean((mean - clean) ** 2) < 0.4 * 0.01
