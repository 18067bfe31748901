import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.segment.head_ellipse import (
    HeadEllipse,
    boundary_points,
    check_fit,
    ellipse_perimeter,
    fit_head,
    fit_outline,
    largest_piece,
    measure_head,
)


def tilted(centre=(95.3, 140.7), longer=80.2, shorter=61.4, degrees=25.0) -> HeadEllipse:
    turn = np.deg2rad(degrees)
    along, across = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
    return HeadEllipse(np.array(centre), np.column_stack([longer * along, shorter * across]))


def logit_map(ellipse: HeadEllipse, shape=(192, 288), steepness=1.0) -> np.ndarray:
    """Roughly the signed distance to the outline in pixels, positive inside."""
    j, i = np.mgrid[: shape[0], : shape[1]]
    place = np.stack([j - ellipse.centre[0], i - ellipse.centre[1]], axis=-1) @ np.linalg.inv(ellipse.axes).T
    return (1 - np.linalg.norm(place, axis=-1)) * ellipse.semi_axes[1] * steepness


def test_the_fit_finds_a_known_ellipse_to_a_tenth_of_a_pixel():
    truth = tilted()
    fit = fit_head(logit_map(truth), np.eye(4), (192, 288))
    assert fit is not None
    assert np.abs(fit.ellipse.centre - truth.centre).max() < 0.1
    assert np.abs(np.array(fit.ellipse.semi_axes) - truth.semi_axes).max() < 0.1
    assert fit.quality["overlap"] > 0.99
    assert fit.quality["visible"] == 1.0
    assert fit.quality["roughness"] < 0.002


def test_the_fit_is_in_source_pixels_even_where_rows_and_columns_scale_differently():
    to_source = np.diag((1.0, 2.0, 1.5, 1.0))
    to_source[1:3, 3] = 0.5, 0.25
    truth = tilted()
    fit = fit_head(logit_map(truth), to_source, (384, 432))
    expected = truth.mapped(np.diag((2.0, 1.5)), np.array((0.5, 0.25)))
    assert fit is not None
    assert np.abs(fit.ellipse.centre - expected.centre).max() < 0.3
    assert np.abs(np.array(fit.ellipse.semi_axes) - expected.semi_axes).max() < 0.3


def test_a_head_cut_by_the_frame_is_completed():
    truth = tilted(centre=(60.0, 140.0), degrees=0.0)
    truth = HeadEllipse(np.array((40.0, 140.0)), truth.axes)
    fit = fit_head(logit_map(truth), np.eye(4), (192, 288))
    assert fit is not None
    assert np.abs(np.array(fit.ellipse.semi_axes) - truth.semi_axes).max() < 1.0
    assert 0.5 < fit.quality["visible"] < 1.0


def test_nothing_or_a_speck_gives_no_fit():
    assert fit_head(np.full((192, 288), -3.0), np.eye(4), (192, 288)) is None
    speck = np.full((192, 288), -3.0)
    speck[5:9, 5:9] = 3
    assert fit_head(speck, np.eye(4), (192, 288)) is None


def test_a_map_that_is_no_ellipse_is_told_by_its_quality():
    blocks = np.full((192, 288), -2.0)
    blocks[20:170, 30:60] = blocks[140:170, 30:250] = 2.0
    fit = fit_head(blocks, np.eye(4), (192, 288))
    assert fit is None or fit.quality["overlap"] < 0.75


def test_outliers_on_the_outline_do_not_pull_the_fit():
    truth = tilted()
    points = np.concatenate([truth.points(400), truth.centre + (np.arange(20)[:, None] * (0.5, 0.2))])
    fitted = fit_outline(points)
    assert fitted is not None
    assert np.abs(np.array(fitted.semi_axes) - truth.semi_axes).max() < 0.2


def test_mask_area_matches_the_formula():
    truth = tilted()
    longer, shorter = truth.semi_axes
    assert abs(truth.mask((192, 288)).sum() / (np.pi * longer * shorter) - 1) < 0.002


def test_boundary_points_lie_where_the_line_crosses_zero():
    ramp = np.tile(np.array([2.0, 1.0, -3.0, -4.0]), (3, 1))
    assert np.allclose(boundary_points(ramp), [[0, 1.25], [1, 1.25], [2, 1.25]])


def test_largest_piece_drops_the_rest_and_fills_holes():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:12, 2:12] = True
    mask[5:7, 5:7] = False
    mask[15:18, 15:18] = True
    piece = largest_piece(mask)
    assert piece.sum() == 100 and piece[5, 5] and not piece[16, 16]
    assert not largest_piece(np.zeros((4, 4), dtype=bool)).any()


def test_circle_and_known_ellipse_have_their_perimeters():
    assert ellipse_perimeter(2, 2) == pytest.approx(4 * np.pi)
    # Complete elliptic integral: half axes 2 and 1 give 9.68844822.
    assert ellipse_perimeter(2, 1) == pytest.approx(9.68844822, abs=1e-5)


def test_measures_scale_with_the_pixel_and_lose_the_margin():
    ellipse = tilted(longer=100, shorter=80, degrees=0)
    measures = measure_head(ellipse, 0.5, 0.5, margin_px=1.0, relative_sd=0.01)
    assert measures.occipitofrontal_diameter_mm == pytest.approx(99)
    assert measures.biparietal_diameter_mm == pytest.approx(79)
    assert measures.head_circumference_mm == pytest.approx(ellipse_perimeter(49.5, 39.5))
    assert measures.circumference_sd_mm == pytest.approx(0.01 * measures.head_circumference_mm)


def test_the_margin_is_counted_in_pixels_of_the_map():
    fine, coarse = (fit_head(logit_map(tilted()), np.diag((1.0, s, s, 1.0)), (192 * s, 288 * s)) for s in (1, 2))
    assert fine is not None and coarse is not None
    assert coarse.ellipse.grain == pytest.approx(2.0)
    first, second = (measure_head(fit.ellipse, mm, mm, margin_px=1.0) for fit, mm in ((fine, 0.4), (coarse, 0.2)))
    assert first.biparietal_diameter_mm == pytest.approx(second.biparietal_diameter_mm, rel=1e-3)


def test_pixels_that_are_not_square_are_honoured():
    ellipse = tilted(longer=100, shorter=80, degrees=0)  # the longer axis runs along the columns
    measures = measure_head(ellipse, 0.5, 0.25)
    assert measures.occipitofrontal_diameter_mm == pytest.approx(80)
    assert measures.biparietal_diameter_mm == pytest.approx(50)


def test_bad_pixel_size_and_margin_are_refused():
    with pytest.raises(InputError, match="positive pixel size"):
        measure_head(tilted(), 0.0, 0.1)
    with pytest.raises(InputError, match="margin"):
        measure_head(tilted(), 0.1, 0.1, margin_px=100)


def test_check_fit_names_what_failed():
    checks = check_fit({"overlap": 0.8, "roughness": 0.01}, {"min_overlap": 0.9, "max_roughness": 0.05})
    assert [(check.name, check.passed) for check in checks] == [("roughness", True), ("overlap", False)]
    with pytest.raises(InputError, match="fit limit"):
        check_fit({"overlap": 0.8}, {"least_overlap": 0.9})
