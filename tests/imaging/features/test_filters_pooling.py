"""Borders and pooling, against numpy on whole stacks."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_pooling import pad_border, pool_responses


def test_the_four_borders_continue_a_line_as_ibsi_says():
    line = np.array([[[1.0, 2.0, 3.0]]])
    wanted = {"zero": [0, 0], "nearest": [1, 1], "periodic": [2, 3], "mirror": [2, 1]}
    for boundary, before in wanted.items():
        padded = pad_border(line, (0, 0, 2), boundary)
        assert padded[0, 0, :2].tolist() == before
        assert padded.dtype == np.float32


def test_a_border_may_be_wider_than_the_image():
    assert pad_border(np.array([[[1.0, 2.0]]]), (0, 0, 4), "mirror")[0, 0].tolist() == [1, 2, 2, 1, 1, 2, 2, 1, 1, 2]


def test_pooling_is_that_of_the_whole_stack():
    stack = np.random.default_rng(0).normal(size=(4, 2, 3, 4)).astype(np.float32)
    counts = [1, 3, 2, 2]
    pairs = list(zip(stack, counts, strict=True))
    np.testing.assert_array_equal(pool_responses(pairs, "max"), stack.max(axis=0))
    np.testing.assert_array_equal(pool_responses(pairs, "min"), stack.min(axis=0))
    np.testing.assert_allclose(pool_responses(pairs, "mean"), np.average(stack, axis=0, weights=counts), atol=1e-6)


def test_several_responses_and_nothing_to_pool_them_by_are_refused():
    one = (np.zeros((1, 1, 1)), 1)
    with pytest.raises(InputError, match="max, mean or min"):
        pool_responses([one, one], "none")
    with pytest.raises(InputError, match="at least one"):
        pool_responses([], "mean")
