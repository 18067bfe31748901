import numpy as np
import pytest

from isocenter.imaging.features.eigenvalue_kernels import largest_eigenvalue


@pytest.mark.parametrize("n", [1, 2, 3, 17, 60, 130])
def test_it_is_the_spectral_norm_of_a_symmetric_matrix(n):
    rng = np.random.default_rng(n)
    for sign in (1, -1):
        matrix = rng.normal(size=(n, n))
        matrix = sign * (matrix + matrix.T) + 3 * sign * np.eye(n)
        assert np.isclose(largest_eigenvalue(matrix), np.abs(np.linalg.eigvalsh(matrix)).max(), rtol=1e-11)


def test_equal_eigenvalues_and_pieces_without_connection_do_no_harm():
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(40, 40)))
    values = np.repeat([0.9, -0.9, 0.5, 1e-9], 10)
    assert np.isclose(largest_eigenvalue(turned * values @ turned.T), 0.9, rtol=1e-12)
    assert np.isclose(largest_eigenvalue(np.diag(values)), 0.9, rtol=1e-12)
    assert largest_eigenvalue(np.zeros((5, 5))) == 0
