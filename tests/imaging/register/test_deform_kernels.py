import numpy as np
from scipy import ndimage

from isocenter.imaging.register.deform_kernels import (
    compose_fields,
    determinants,
    residual_sums,
    sample_displaced,
    solve_steps,
    spread_blocks,
    structure_sums,
)

RNG = np.random.default_rng(0)
FIXED = ndimage.gaussian_filter(RNG.random((8, 10, 12)), 1).astype(np.float32)
FACTORS = np.array((2, 2, 2))
SPACING = np.array((2.0, 1.0, 1.5), dtype=np.float32)


def gradient():
    return np.stack(np.gradient(FIXED, *SPACING.tolist()))


def blocks_of(array):
    return array.reshape(4, 2, 5, 2, 6, 2).sum((1, 3, 5))


def test_structure_is_the_sum_of_gradient_products():
    g = gradient()
    found = structure_sums(FIXED, FACTORS, SPACING)
    for number, (a, b) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
        np.testing.assert_allclose(found[number], blocks_of(g[a] * g[b]), rtol=1e-3, atol=1e-6)


def test_residuals_at_rest():
    relation = np.zeros((2, 4, 5, 6), dtype=np.float32)
    relation[0], relation[1] = 2.0, 0.1
    found = residual_sums(FIXED, FIXED, np.zeros((3, 4, 5, 6), np.float32), relation, FACTORS, SPACING)
    rest = FIXED - 2 * FIXED - 0.1
    np.testing.assert_allclose(found[1], blocks_of(rest * gradient()[1]), rtol=1e-3, atol=1e-5)
    assert (found[3] == 8).all()
    np.testing.assert_allclose(found[8], blocks_of(FIXED * FIXED), rtol=1e-4)


def test_vectors_between_block_centres_are_linear():
    field = ndimage.gaussian_filter(RNG.normal(0, 3, (3, 4, 5, 6)), (0, 1, 1, 1)).astype(np.float32)
    voxels = np.stack(np.meshgrid(*[np.arange(n, dtype=float) for n in FIXED.shape], indexing="ij"))
    moved = [
        at + ndimage.map_coordinates(part, (voxels - 0.5) / 2, order=1, mode="nearest") / step
        for at, part, step in zip(voxels, field, SPACING, strict=True)
    ]
    inside = np.all([(at > -0.5) & (at < n - 0.5) for at, n in zip(moved, FIXED.shape, strict=True)], axis=0)
    values = np.where(inside, ndimage.map_coordinates(FIXED, moved, order=1, mode="nearest"), 0)
    found = residual_sums(FIXED, FIXED, field, np.zeros((2, 4, 5, 6), np.float32), FACTORS, SPACING)
    np.testing.assert_allclose(found[3], blocks_of(inside.astype(float)))
    np.testing.assert_allclose(found[5], blocks_of(values), rtol=1e-4, atol=1e-5)


def test_unknown_voxels_do_not_count():
    moving = FIXED.copy()
    moving[:2] = np.nan
    zeros = np.zeros((2, 4, 5, 6), np.float32)
    found = residual_sums(FIXED, moving, np.zeros((3, 4, 5, 6), np.float32), zeros, FACTORS, SPACING)
    assert (found[3, 0] == 0).all()
    assert (found[3, 2] == 8).all()


def test_steps_solve_each_block():
    root = RNG.normal(0, 1, (3, 3, 4, 5, 6))
    full = np.einsum("abkji,cbkji->ackji", root, root)
    structure = np.stack([full[0, 0], full[0, 1], full[0, 2], full[1, 1], full[1, 2], full[2, 2]]).astype(np.float32)
    pull = RNG.normal(0, 1, (3, 4, 5, 6)).astype(np.float32)
    found = solve_steps(structure, pull, np.float32(0.5), np.float32(1e9))
    again = np.einsum("abkji,bkji->akji", full + 0.5 * np.eye(3)[:, :, None, None, None], found)
    np.testing.assert_allclose(again, pull, atol=2e-3)
    short = solve_steps(structure, pull, np.float32(0.5), np.float32(0.1))
    assert np.linalg.norm(short, axis=0).max() < 0.1 + 1e-5


def test_composing_shifts_adds_them():
    one, other = np.full((3, 4, 5, 6), 0.7, np.float32), np.full((3, 4, 5, 6), -0.2, np.float32)
    np.testing.assert_allclose(compose_fields(one, other, SPACING), 0.5, atol=1e-6)


def test_a_shift_by_whole_voxels_reads_the_neighbour():
    field = np.zeros((8, 10, 12, 3), np.float32)
    field[..., 0] = 1.0
    turn = np.eye(3)[::-1].copy()
    found = sample_displaced(FIXED, np.eye(4), turn, field, np.float32(-1))
    np.testing.assert_allclose(found[:, :, :-1], FIXED[:, :, 1:], atol=1e-6)
    assert (found[:, :, -1] == -1).all()


def test_determinants_and_spread_of_a_stretch():
    axes = np.eye(3)[::-1].copy()
    blocks = np.zeros((3, 4, 5, 6), np.float32)
    move = np.zeros((4, 4))
    move[:3, :3] = np.diag((0.1, 0.0, 0.0))
    to_mm = np.eye(4)
    to_mm[:3, :3] = axes
    field = spread_blocks(blocks, np.diag((0.5, 0.5, 0.5, 1)), axes, np.stack((to_mm, move)), np.array((8, 10, 12)))
    np.testing.assert_allclose(determinants(field, axes), 1.1, rtol=1e-4)
