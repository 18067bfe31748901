import numpy as np
import pytest

from isocenter.imaging.segment.necks import cut_at_necks


def dumbbell(neck_radius: int, spacing=(1.0, 1.0, 1.0)) -> tuple[np.ndarray, np.ndarray]:
    """Two balls of radius 10 and 14 mm joined by a rod, and the first alone."""
    axes = [np.arange(round(size / step)) * step for size, step in zip((36, 36, 72), spacing, strict=True)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    one = (k - 18) ** 2 + (j - 18) ** 2 + (i - 16) ** 2 <= 100
    other = (k - 18) ** 2 + (j - 18) ** 2 + (i - 50) ** 2 <= 196
    rod = ((k - 18) ** 2 + (j - 18) ** 2 <= neck_radius**2) & (i > 16) & (i < 50)
    return one | other | rod, one


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)])
def test_a_body_is_cut_where_it_narrows_below_the_share(spacing):
    mask, one = dumbbell(2, spacing)
    place = tuple(int(n) for n in np.argwhere(one).mean(axis=0))
    cut = cut_at_necks(mask, place, share=0.5, spacing_mm=spacing)
    assert 2 * (cut & one).sum() / (cut.sum() + one.sum()) > 0.95


def test_a_neck_above_the_share_stays_open_and_either_side_is_reached_from_its_own_seed():
    mask, one = dumbbell(7)
    assert cut_at_necks(mask, (18, 18, 16), share=0.5, spacing_mm=(1, 1, 1)).sum() > 0.9 * mask.sum()
    other = cut_at_necks(mask, (18, 18, 52), share=0.8, spacing_mm=(1, 1, 1))
    assert other[18, 18, 50] and not (other & one & (np.arange(72) < 14)).any()


def test_a_seed_at_the_edge_belongs_to_the_body_that_it_touches():
    mask, one = dumbbell(2)
    cut = cut_at_necks(mask, (18, 18, 7), share=0.5, spacing_mm=(1, 1, 1))
    assert 2 * (cut & one).sum() / (cut.sum() + one.sum()) > 0.95


def test_the_end_of_the_image_is_no_wall_and_a_full_image_stays_whole():
    mask, _ = dumbbell(2)
    half = mask[:, :, :17]
    assert np.array_equal(cut_at_necks(half, (18, 18, 16), share=0.5, spacing_mm=(1, 1, 1)), half)
    full = np.ones((3, 4, 5), bool)
    assert cut_at_necks(full, (1, 1, 1), share=0.7, spacing_mm=(1, 1, 1)).all()
