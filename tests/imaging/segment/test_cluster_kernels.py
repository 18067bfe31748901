"""The compiled loops against plain numpy."""

import numpy as np

from isocenter.imaging.segment.cluster_kernels import assign_superpixels, sweep_mean_field, sweep_mixture


def test_a_sweep_updates_one_colour_from_the_other():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 4, 5, 2)).astype(np.float32)
    beliefs = rng.dirichlet((1, 1), size=(3, 4, 5)).astype(np.float32)
    inside = rng.random((3, 4, 5)) < 0.8
    pulls = np.array((0.5, 1.0, 2.0), dtype=np.float32)
    wanted = beliefs.copy()
    padded = np.pad(np.where(inside[..., None], beliefs, 0), ((1, 1), (1, 1), (1, 1), (0, 0)))
    pull = 0.5 * (padded[2:, 1:-1, 1:-1] + padded[:-2, 1:-1, 1:-1])
    pull = pull + padded[1:-1, 2:, 1:-1] + padded[1:-1, :-2, 1:-1]
    pull = pull + 2 * (padded[1:-1, 1:-1, 2:] + padded[1:-1, 1:-1, :-2])
    share = np.exp(scores + pull)
    share /= share.sum(-1, keepdims=True)
    even = (np.indices(inside.shape).sum(axis=0) % 2 == 0) & inside
    wanted[even] = share[even]
    sweep_mean_field(scores, inside, beliefs, pulls, 0)
    np.testing.assert_allclose(beliefs, wanted, atol=1e-5)


def test_a_sweep_over_a_mixture_is_both_colours_and_sums_what_it_believes():
    rng = np.random.default_rng(0)
    array = rng.normal(5, 3, (3, 6, 5)).astype(np.float32)
    inside = rng.random(array.shape) < 0.8
    start = rng.dirichlet((1, 1), size=array.shape).astype(np.float32) * inside[..., None]
    classes = np.array([(2.0, 1.5), (8.0, 2.0)])
    pulls = np.array((0.5, 1.0, 1.0), dtype=np.float32)
    likelihood = -np.log(classes[:, 1]) - 0.5 * ((array[..., None] - classes[:, 0]) / classes[:, 1]) ** 2
    wanted, found = start.copy(), start.copy()
    for colour in (0, 1):
        sweep_mean_field(likelihood.astype(np.float32), inside, wanted, pulls, colour)
    sums = sweep_mixture(array, inside, found, pulls, classes).sum(axis=0)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    off = array[..., None] - classes[:, 0]
    for power in range(3):
        np.testing.assert_allclose(sums[:, power], (wanted * off**power).sum(axis=(0, 1, 2)), rtol=1e-4)


def test_each_voxel_finds_the_nearest_living_centre_around_it():
    rng = np.random.default_rng(1)
    features = rng.random((4, 12, 12, 1)).astype(np.float32)
    inside = np.ones((4, 12, 12), dtype=bool)
    inside[0, 0, 0] = False
    cells, counts, scales = np.array((4.0, 4.0, 4.0)), (1, 3, 3), np.array((0.3, 0.2, 0.1))
    centres = rng.random((*counts, 4)) * (4, 12, 12, 1)
    centres[0, 1, 1] = np.nan
    found = assign_superpixels(features, inside, centres, cells, scales)
    assert found[0, 0, 0] == -1
    for k, j, i in np.argwhere(inside):
        distances = {}
        for b in range(max(j // 4 - 1, 0), min(j // 4 + 2, 3)):
            for c in range(max(i // 4 - 1, 0), min(i // 4 + 2, 3)):
                centre = centres[0, b, c]
                step = ((np.array((k, j, i)) - centre[:3]) * scales) ** 2
                distances[b * 3 + c] = step.sum() + (features[k, j, i, 0] - centre[3]) ** 2
        living = {number: d for number, d in distances.items() if np.isfinite(d)}
        assert found[k, j, i] == min(living, key=living.get)
