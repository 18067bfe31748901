"""Gradients between LPS and FSL's voxel frame."""

import numpy as np

from isocenter.io.gradients import format_fsl, from_fsl, read_fsl, to_fsl

AXIAL = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
VECTORS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])


def test_right_handed_voxels_turn_their_first_axis():
    # LPS axial storage is right-handed, FSL then flips i (FDT guide).
    assert np.allclose(to_fsl(VECTORS, AXIAL), VECTORS * (-1, 1, 1))


def test_left_handed_voxels_keep_it():
    mirrored = AXIAL.copy()
    mirrored[:, 1] *= -1
    assert np.allclose(to_fsl(VECTORS, mirrored), VECTORS * (1, -1, 1))


def test_there_and_back_is_the_identity_for_oblique_grids():
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * (3, 1, 1)
    vectors = rng.normal(size=(7, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(from_fsl(to_fsl(vectors, affine), affine), vectors)


def test_files_have_one_and_three_lines(tmp_path):
    values, lines = format_fsl(np.array([0.0, 1000.0]), np.array([[0.0, 0, 0], [0, -1, 0]]))
    assert values == "0 1000\n" and lines.count("\n") == 3 and "-0.000000" not in lines
    (tmp_path / "a.bval").write_text(values)
    (tmp_path / "a.bvec").write_text(lines)
    pair = read_fsl(tmp_path / "a", 2)
    assert pair is not None and pair[1].tolist() == [[0, 0, 0], [0, -1, 0]]
    assert read_fsl(tmp_path / "a", 3) is None and read_fsl(tmp_path / "b", 2) is None
