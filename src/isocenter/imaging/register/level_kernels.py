"""Compiled steps for making small copies of large arrays and for reading an array at the places of another grid."""

import numpy as np
from numba import njit, prange

from isocenter.imaging.register.linear_kernels import value_at


@njit(cache=True, parallel=True)
def shrink_mean(array: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The mean of each block of factors voxels along k, j, i; what is left over at the end is dropped."""
    a, b, c = factors[0], factors[1], factors[2]
    small = np.empty((array.shape[0] // a, array.shape[1] // b, array.shape[2] // c), dtype=np.float32)
    share = 1.0 / (a * b * c)
    for k in prange(small.shape[0]):
        for j in range(small.shape[1]):
            for i in range(small.shape[2]):
                total = 0.0
                for z in range(k * a, k * a + a):
                    for y in range(j * b, j * b + b):
                        for x in range(i * c, i * c + c):
                            total += array[z, y, x]
                small[k, j, i] = total * share
    return small


@njit(cache=True, parallel=True)
def sample_affine(array: np.ndarray, matrix: np.ndarray, shape: np.ndarray, outside: float) -> np.ndarray:
    """The trilinear value of `array` at matrix @ (k, j, i, 1) for every index of a grid; `outside` beyond it."""
    values = np.empty((shape[0], shape[1], shape[2]), dtype=np.float32)
    limit = np.array(array.shape)
    for k in prange(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
                y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
                x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
                beyond = False
                if z < -0.5001 or z > limit[0] - 0.4999:
                    beyond = True
                if y < -0.5001 or y > limit[1] - 0.4999:
                    beyond = True
                if x < -0.5001 or x > limit[2] - 0.4999:
                    beyond = True
                values[k, j, i] = outside if beyond else value_at(array, z, y, x)
    return values


@njit(cache=True, parallel=True)
def sample_clamped(array: np.ndarray, matrix: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """As `sample_affine`, but beyond the array its outermost values go on."""
    values = np.empty((shape[0], shape[1], shape[2]), dtype=np.float32)
    for k in prange(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
                y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
                x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
                values[k, j, i] = value_at(array, z, y, x)
    return values
