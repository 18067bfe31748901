"""Laws of the sliding window: identity, constants, agreement with a second implementation, memory."""

import itertools
import tracemalloc

import numpy as np
import pytest

from isocenter.core.errors import InputError, LimitError
from isocenter.zoo.predict import FunctionPredictor
from isocenter.zoo.sliding import Windows, importance_map, iter_slabs, sliding_window, window_starts

RNG = np.random.default_rng(3)
IDENTITY = FunctionPredictor(lambda batch: {"logits": batch})


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(13, 17, 20), (8, 8, 8), (5, 20, 9), (3, 4, 5)])
def test_a_network_that_changes_nothing_returns_the_image(shape, overlap):
    image = RNG.normal(size=(2, *shape)).astype(np.float32)
    result = sliding_window(IDENTITY, image, windows=Windows((8, 7, 6), overlap, batch=3))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, image, rtol=2e-5, atol=1e-5)


def test_two_dimensions_are_one_slice_without_the_axis():
    image = RNG.normal(size=(1, 30, 41)).astype(np.float32)
    seen = []
    spy = FunctionPredictor(lambda batch: (seen.append(batch.shape), {"logits": batch})[1])
    np.testing.assert_allclose(sliding_window(spy, image, windows=Windows((16, 16))), image, atol=1e-5)
    assert set(seen) == {(1, 1, 16, 16)}


def test_a_constant_answer_is_constant_everywhere():
    three = FunctionPredictor(lambda batch: {"logits": np.full((len(batch), 4, *batch.shape[2:]), 3.0)})
    result = sliding_window(three, np.zeros((1, 9, 21, 15), np.float32), windows=Windows((4, 8, 8), 0.6))
    assert result.shape == (4, 9, 21, 15)
    np.testing.assert_allclose(result, 3.0, rtol=1e-6)


def test_the_weights_sum_as_written_out_by_hand():
    """Where windows disagree, the blend is the weighted mean: a direct, dense sum is the reference."""
    image = RNG.normal(size=(1, 11, 12, 10)).astype(np.float32)
    size, overlap = (6, 5, 4), 0.5
    centred = FunctionPredictor(lambda b: {"logits": b - b.mean(axis=(2, 3, 4), keepdims=True)})
    weights = importance_map(size)
    total, count = np.zeros(image.shape), np.zeros(image.shape)
    for k in window_starts(11, 6, overlap):
        for j in window_starts(12, 5, overlap):
            for i in window_starts(10, 4, overlap):
                box = (0, slice(k, k + 6), slice(j, j + 5), slice(i, i + 4))
                total[box] += weights * (image[box] - image[box].mean())
                count[box] += weights
    np.testing.assert_allclose(sliding_window(centred, image, windows=Windows(size, overlap)), total / count, atol=1e-5)


def test_weights_are_one_in_the_centre_and_never_under_the_floor():
    weights = importance_map((31, 31, 31))
    assert weights[15, 15, 15] == weights.max() == 1
    assert weights.min() == np.float32(1e-3)
    assert weights[15, 15, 15 + 4] == pytest.approx(np.exp(-(4**2) / (2 * (0.125 * 31) ** 2)))


def test_an_image_smaller_than_the_window_lies_in_its_middle():
    ramp = FunctionPredictor(lambda b: {"logits": np.broadcast_to(np.arange(8.0), b.shape)})
    result = sliding_window(ramp, np.zeros((1, 8, 8, 3), np.float32), windows=Windows((8, 8, 8)))
    np.testing.assert_allclose(result[0, 0, 0], [2, 3, 4], rtol=1e-6)


def test_windows_go_together_as_many_as_asked_for_or_as_the_budget_holds():
    def calls(**options):
        seen = []
        spy = FunctionPredictor(lambda b: (seen.append(len(b)), {"logits": b})[1])
        sliding_window(spy, np.zeros((1, 8, 64, 64), np.float32), windows=Windows((8, 16, 16), 0.0, **options))
        return seen

    assert calls() == [1] * 16
    assert calls(batch=5) == [5, 5, 5, 1]
    assert max(calls(batch=16, max_memory_bytes=700_000)) == 700_000 // 4 // (3 * 8 * 16 * 16 * 4)


def test_windows_cover_the_axis_and_never_leave_it():
    for length in range(4, 40):
        for overlap in (0.0, 0.3, 0.5, 0.9):
            starts = window_starts(length, 4, overlap)
            assert starts[0] == 0 and starts[-1] == length - 4 and len(set(starts)) == len(starts)
            assert all(b - a <= 4 for a, b in itertools.pairwise(starts))


def test_slabs_come_in_order_and_each_slice_once():
    image = RNG.normal(size=(1, 23, 8, 8)).astype(np.float32)
    slabs = list(iter_slabs(IDENTITY, image, windows=Windows((8, 8, 8), 0.5)))
    covered = [z for slab in slabs for z in range(slab.start, slab.start + slab.values.shape[1])]
    assert covered == list(range(23))


def test_a_reduction_keeps_labels_only():
    image = RNG.normal(size=(3, 9, 12, 11)).astype(np.float32)
    labels = sliding_window(
        IDENTITY, image, windows=Windows((4, 6, 6)), reduce=lambda v: v.argmax(axis=0).astype(np.uint8)
    )
    assert labels.dtype == np.uint8
    assert (labels == image.argmax(axis=0)).mean() > 0.999


def test_a_tight_budget_gives_half_precision_and_a_tighter_one_is_refused():
    image = RNG.normal(size=(1, 64, 32, 32)).astype(np.float32)
    size, whole = (8, 16, 16), 64 * 32 * 32 * 4
    half = sliding_window(
        IDENTITY, image, windows=Windows(size, max_memory_bytes=whole // 2 + 3 * 8 * 32 * 32 * 4 + 60_000)
    )
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, image, atol=4e-3)
    with pytest.raises(LimitError, match="reduce"):
        sliding_window(IDENTITY, image, windows=Windows(size, max_memory_bytes=whole // 2))
    with pytest.raises(LimitError, match="accumulators"):
        sliding_window(IDENTITY, image, windows=Windows(size, max_memory_bytes=8 * 32 * 32 * 4))


def test_memory_does_not_grow_with_the_number_of_slices():
    def peak_bytes(n_slices):
        image = np.zeros((1, n_slices, 64, 64), np.float32)
        tracemalloc.start()
        for _ in iter_slabs(IDENTITY, image, windows=Windows((16, 32, 32))):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(160) < 1.2 * peak_bytes(40)


def test_a_network_of_another_output_size_is_refused():
    half = FunctionPredictor(lambda batch: {"logits": batch[..., ::2]})
    with pytest.raises(InputError, match="from the network"):
        sliding_window(half, np.zeros((1, 8, 8, 8), np.float32), windows=Windows((4, 4, 4)))


@pytest.mark.parametrize("size, overlap", [((4,), 0.5), ((4, 4), 1.0), ((0, 4), 0.5), ((4, 4), -0.1)])
def test_windows_that_cannot_be_are_refused(size, overlap):
    with pytest.raises(InputError):
        Windows(size, overlap)


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape, size", [((33, 40, 28), (16, 16, 16)), ((10, 50, 20), (16, 24, 16)), ((50, 61), (32, 16))]
)
@pytest.mark.parametrize("overlap", [0.25, 0.5])
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_monai(shape, size, overlap):
    torch = pytest.importorskip("torch")
    from monai.inferers import sliding_window_inference

    torch.manual_seed(0)
    layer = (torch.nn.Conv3d if len(shape) == 3 else torch.nn.Conv2d)(2, 3, 3, padding=1)
    network = torch.nn.Sequential(layer, torch.nn.Tanh()).eval()

    def run(batch):
        with torch.inference_mode():
            return {"logits": network(torch.from_numpy(batch)).numpy()}

    image = RNG.normal(size=(2, *shape)).astype(np.float32)
    with torch.inference_mode():
        expected = sliding_window_inference(torch.from_numpy(image)[None], size, 2, network, overlap, mode="gaussian")
    result = sliding_window(FunctionPredictor(run), image, windows=Windows(size, overlap, batch=2))
    np.testing.assert_allclose(result, expected[0].numpy(), atol=1e-5)
