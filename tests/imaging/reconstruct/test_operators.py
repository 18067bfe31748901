import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.phantoms_projection import coil_sensitivities
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.nonuniform import NonCartesianFourier
from isocenter.imaging.reconstruct.operators import Projection, Scaled, adjoint_error, normal, operator_norm
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier

ANGLES = np.array([0.0, 13.0, 45.0, 90.0, 131.0, 222.0])


def parallel() -> Projection:
    return Projection(ScanGeometry(ANGLES, 41, 1.3, (24, 31), 1.1))


def fan() -> Projection:
    return Projection(ScanGeometry(ANGLES, 41, 1.9, (24, 31), 1.1, (60.0, 100.0)))


def emission() -> Scaled:
    return Scaled(parallel(), np.random.default_rng(4).uniform(0.2, 1, (6, 41)))


def coils() -> MultiCoilFourier:
    mask = np.random.default_rng(5).random((16, 15)) < 0.4
    return MultiCoilFourier(mask, coil_sensitivities(4, (16, 15)))


def spiral() -> NonCartesianFourier:
    return NonCartesianFourier(np.random.default_rng(6).uniform(-0.5, 0.5, (80, 2)), (15, 18))


OPERATORS = {
    "parallel": (parallel, np.float64),
    "fan": (fan, np.float64),
    "emission": (emission, np.float64),
    "coils": (coils, np.complex128),
    "spiral": (spiral, np.complex128),
}
each = pytest.mark.parametrize("name", OPERATORS)


def drawn(shape, dtype, rng):
    real = rng.standard_normal(shape)
    return (real + 1j * rng.standard_normal(shape) if np.issubdtype(dtype, np.complexfloating) else real).astype(dtype)


@each
def test_the_adjoint_is_the_transpose(name):
    make, dtype = OPERATORS[name]
    operator = make()
    x, y = (drawn(s, dtype, np.random.default_rng(1)) for s in (operator.domain_shape, operator.range_shape))
    left, right = np.vdot(y, operator.forward(x)), np.vdot(operator.adjoint(y), x)
    assert abs(left - right) < 1e-9 * abs(left)
    assert adjoint_error(operator, np.random.default_rng(2), dtype) < 1e-9


@each
def test_the_adjoint_holds_in_single_precision(name):
    make, dtype = OPERATORS[name]
    single = np.complex64 if dtype is np.complex128 else np.float32
    assert adjoint_error(make(), np.random.default_rng(3), single) < 1e-6


@each
def test_the_operator_is_linear(name):
    make, dtype = OPERATORS[name]
    operator, rng = make(), np.random.default_rng(4)
    x, z = (drawn(operator.domain_shape, dtype, rng) for _ in range(2))
    both = operator.forward(2 * x - 3 * z)
    np.testing.assert_allclose(both, 2 * operator.forward(x) - 3 * operator.forward(z), atol=1e-5 * np.abs(both).max())


@each
def test_the_normal_operator_measures_the_size_of_what_is_seen(name):
    make, dtype = OPERATORS[name]
    operator = make()
    x = drawn(operator.domain_shape, dtype, np.random.default_rng(5))
    seen = operator.forward(x)
    assert np.vdot(x, normal(operator, x)).real == pytest.approx(np.vdot(seen, seen).real, rel=1e-9)


def test_a_row_of_ones_is_as_long_as_the_ray():
    geometry = ScanGeometry(np.array([0.0, 30.0]), 3, 1.0, (60, 60), 1.0)
    chords = Projection(geometry).forward(np.ones((60, 60)))
    assert chords[0, 1] == pytest.approx(60.0)
    assert chords[1, 1] == pytest.approx(60 / np.cos(np.deg2rad(30)), rel=0.01)


def test_the_norm_bounds_what_an_image_can_become():
    operator = parallel()
    size = operator_norm(operator)
    dense = np.stack([operator.forward(row.reshape(24, 31)).ravel() for row in np.eye(24 * 31)])
    assert size == pytest.approx(np.linalg.norm(dense, 2), rel=0.02)


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(InputError, match="expected an array"):
        parallel().forward(np.zeros((3, 3)))
