import numpy as np

from isocenter.imaging.reconstruct.kernels_tv import dual_step, primal_of_dual


def test_the_divergence_is_minus_the_transpose_of_the_gradient():
    rng = np.random.default_rng(0)
    image, down, right = rng.standard_normal((3, 6, 7)).astype(np.float32)
    down[-1], right[:, -1] = 0, 0
    flow = np.empty_like(image)
    primal_of_dual(np.zeros_like(image), down, right, np.ones_like(image), np.float32(-np.inf), flow)
    by_gradient = (np.diff(image, axis=0) * down[:-1]).sum() + (np.diff(image, axis=1) * right[:, :-1]).sum()
    assert abs(float((flow * image).sum()) + float(by_gradient)) < 1e-4


def test_the_dual_field_stays_inside_unit_discs():
    image = 100 * np.random.default_rng(1).standard_normal((5, 6)).astype(np.float32)
    ahead, before = np.zeros((2, 2, 5, 6), np.float32)
    dual_step(image, ahead, before, np.full((5, 6), 0.1, np.float32), np.float32(0))
    assert np.hypot(*before).max() <= 1 + 1e-6
    assert (before[0, -1] == 0).all() and (before[1, :, -1] == 0).all()
