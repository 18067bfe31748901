import numpy as np

from isocenter.imaging.reconstruct.solvers import conjugate_gradients, proximal_gradient


class Matrix:
    """A dense operator."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.domain_shape, self.range_shape = (values.shape[1],), (values.shape[0],)

    def forward(self, image: np.ndarray) -> np.ndarray:
        return self.values @ image

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        return self.values.conj().T @ data


def test_conjugate_gradients_solve_in_as_many_steps_as_unknowns():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((12, 8)) + 1j * rng.standard_normal((12, 8))
    gram = root.conj().T @ root
    right = rng.standard_normal(8) + 0j
    found = conjugate_gradients(lambda x: gram @ x, right, n_iterations=20, tolerance=1e-12)
    np.testing.assert_allclose(gram @ found, right, atol=1e-8)


def test_without_a_prior_the_least_squares_solution_comes_out():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((20, 6)).astype(np.float32)
    data = rng.standard_normal(20).astype(np.float32)
    found = proximal_gradient(Matrix(matrix), data, lambda x, strength: x, strength=0.0, n_iterations=500)
    np.testing.assert_allclose(found, np.linalg.lstsq(matrix, data, rcond=None)[0], atol=1e-3)


def test_the_strength_may_follow_the_misfit():
    seen = []

    def strength(rest: np.ndarray) -> float:
        seen.append(float(np.linalg.norm(rest)))
        return 0.1 * seen[-1]

    eye = Matrix(np.eye(5, dtype=np.float32))
    data = np.arange(5, dtype=np.float32)
    proximal_gradient(eye, data, lambda x, s: x / (1 + s), strength=strength, n_iterations=5)
    assert seen[0] == np.linalg.norm(data) and seen[-1] < seen[0]


def test_an_operator_that_sees_nothing_gives_the_start():
    nothing = Matrix(np.zeros((3, 2), np.float32))
    assert not proximal_gradient(nothing, np.ones(3, np.float32), lambda x, s: x, strength=1.0).any()
