"""Overlays draw where they are told, and never on the picture they were given."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.overlay import (
    YELLOW,
    draw_box,
    draw_caliper,
    draw_ellipse,
    draw_heat_map,
    draw_label,
    draw_mask,
    draw_scale_bar,
    montage,
    to_rgb,
    upscale,
)

GRAY = np.full((200, 300), 90, dtype=np.uint8)
MASK = np.zeros((200, 300), dtype=bool)
MASK[60:120, 100:180] = True


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != to_rgb(GRAY)).any(axis=2)


EVERY = [
    lambda image: draw_mask(image, MASK),
    lambda image: draw_heat_map(image, MASK.astype(np.float32)),
    lambda image: draw_box(image, ((60, 100), (120, 180)), label="box"),
    lambda image: draw_ellipse(image, (100, 150), (60, 30), 20),
    lambda image: draw_caliper(image, (50, 50), (120, 200), label="12.3 mm"),
    lambda image: draw_label(image, "words", at=(30, 30)),
    lambda image: draw_scale_bar(image, 0.5),
]


@pytest.mark.parametrize("number", range(len(EVERY)))
def test_the_given_picture_stays_and_a_new_rgb_one_comes(number: int):
    image = GRAY.copy()
    image.setflags(write=False)
    for source in (image, np.repeat(image[..., None], 3, axis=2)):
        drawn = EVERY[number](source)
        assert drawn.dtype == np.uint8
        assert drawn.shape == (200, 300, 3)
        assert changed(drawn).any()
        assert not np.shares_memory(drawn, source)


def test_a_mask_is_tinted_inside_and_outlined_at_its_border():
    drawn = draw_mask(GRAY, MASK)
    assert tuple(drawn[60, 140]) == YELLOW
    assert tuple(drawn[90, 140]) == tuple(np.rint(90 * 0.75 + np.array(YELLOW) * 0.25).astype(int))
    assert not changed(drawn)[:58].any()
    assert not changed(draw_mask(GRAY, MASK, opacity=0))[70:110, 110:170].any()


def test_cold_regions_stay_as_they_are_and_hot_ones_glow():
    heat = np.tile(np.linspace(0, 1, 300, dtype=np.float32), (200, 1))
    heat[0, 0] = np.nan
    drawn = draw_heat_map(GRAY, heat).astype(int)
    assert drawn[100, 0].tolist() == [90, 90, 90]
    strength = np.abs(drawn - 90).sum(axis=2)[100]
    assert strength[299] > strength[150] > strength[1]
    with pytest.raises(InputError, match="shape"):
        draw_heat_map(GRAY, heat[:50])
    with pytest.raises(InputError, match="inferno"):
        draw_heat_map(GRAY, heat, map_name="jet")


def test_a_box_runs_along_the_first_and_last_pixels_inside():
    where = np.argwhere(changed(draw_box(GRAY, ((60, 100), (120, 180)))))
    assert where.min(axis=0).tolist() == [60, 100]
    assert where.max(axis=0).tolist() == [119, 179]


def test_an_ellipse_stands_where_its_formula_says():
    where = np.argwhere(changed(draw_ellipse(GRAY, (100, 150), (80, 30), 90, axes=False)))
    assert np.abs(where.min(axis=0) - (20, 120)).max() <= 1
    assert np.abs(where.max(axis=0) - (180, 180)).max() <= 1
    tilted = np.argwhere(changed(draw_ellipse(GRAY, (100, 150), (80, 10), 30, axes=False)))
    right_end = tilted[tilted[:, 1].argmax()]
    assert right_end[0] > 130  # growing columns and growing rows together


def test_a_caliper_joins_its_ends():
    drawn = changed(draw_caliper(GRAY, (50, 50), (50, 200)))
    assert drawn[50, 50:201].all()
    assert not drawn[50, :48].any()


def test_words_are_moved_into_the_picture():
    for at in ((-50, -50), (500, 500)):
        assert changed(draw_label(GRAY, "14.2 mm", at=at)).sum() > 100
    assert changed(draw_label(GRAY, "结节", at=(100, 100))).any()


def test_the_scale_bar_is_as_long_as_it_says():
    drawn = draw_scale_bar(GRAY, 0.5)
    bar = np.argwhere((drawn == 255).all(axis=2))
    row = np.bincount(bar[:, 0]).argmax()
    assert abs(np.ptp(bar[bar[:, 0] == row, 1]) - 20 / 0.5) <= 2


def test_a_small_picture_is_enlarged_by_a_whole_factor():
    large, factor = upscale(np.zeros((64, 80), dtype=np.uint8), min_side=500)
    assert factor == 8
    assert large.shape == (512, 640)
    same, one = upscale(np.zeros((900, 600), dtype=np.uint8))
    assert one == 1
    assert same.shape == (900, 600)


def test_a_montage_holds_every_picture():
    sheet = montage([np.full((10, 20), n, dtype=np.uint8) for n in (50, 100, 150)], n_columns=2, gap=2)
    assert sheet.shape == (22, 42, 3)
    assert [sheet[5, 5, 0], sheet[5, 30, 0], sheet[15, 5, 0], sheet[15, 30, 0]] == [50, 100, 150, 0]
    with pytest.raises(InputError, match="montage"):
        montage([], n_columns=2)


def test_what_is_no_picture_is_refused():
    for array in (np.zeros((5, 5)), np.zeros((5, 5, 4), dtype=np.uint8), np.zeros(5, dtype=np.uint8)):
        with pytest.raises(InputError, match="picture"):
            to_rgb(array)
