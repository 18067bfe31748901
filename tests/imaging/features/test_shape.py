"""Closed formulas on balls, boxes and ellipsoids, at any spacing."""

import numpy as np
import pytest
from skimage.measure import marching_cubes, mesh_surface_area

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.shape import (
    axes_in_plane,
    axes_of_points,
    feret_mm,
    partial_volume_ml,
    sphericity,
    surface_mm2,
    volume_ml,
)

SPACINGS = [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7), (0.6, 0.8, 0.5)]


def ellipsoid(radii_mm: tuple[float, float, float], spacing: tuple[float, float, float], turn_deg: float = 0) -> Mask:
    """Radii along (z, y, x) before it is turned in its plane."""
    widest = max(radii_mm)
    shape = tuple(2 * int(widest / step + 4) + 1 for step in spacing)
    axes = [(np.arange(n) - n // 2) * step for n, step in zip(shape, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    turn = np.deg2rad(turn_deg)
    u, v = y * np.cos(turn) + x * np.sin(turn), x * np.cos(turn) - y * np.sin(turn)
    inside = (z / radii_mm[0]) ** 2 + (u / radii_mm[1]) ** 2 + (v / radii_mm[2]) ** 2 <= 1
    return Mask(inside, Grid.of_spacing(shape, spacing))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("radius_mm", [6.0, 10.0, 15.0])
def test_a_balls_volume_surface_and_roundness_match_the_formulas(radius_mm: float, spacing):
    ball = ellipsoid((radius_mm,) * 3, spacing)
    assert volume_ml(ball) == pytest.approx(4 / 3 * np.pi * radius_mm**3 / 1000, rel=0.025)
    assert surface_mm2(ball) == pytest.approx(4 * np.pi * radius_mm**2, rel=0.03)
    assert sphericity(ball) == pytest.approx(1, abs=0.03)


def test_the_surface_of_a_turned_ellipsoid_agrees_with_marching_cubes_on_its_smooth_field():
    mask = ellipsoid((8, 12, 20), (0.8, 0.8, 0.8), turn_deg=33)
    from scipy.ndimage import gaussian_filter

    vertices, faces, *_ = marching_cubes(gaussian_filter(mask.array.astype(float), 1), 0.5, spacing=(0.8,) * 3)
    assert surface_mm2(mask) == pytest.approx(mesh_surface_area(vertices, faces), rel=0.03)
    assert sphericity(mask) < 0.95


def test_a_boxs_surface_is_within_the_stated_tenth():
    box = Mask(np.ones((20, 30, 40), dtype=bool), Grid.of_spacing((20, 30, 40), (1, 1, 1)))
    assert surface_mm2(box) == pytest.approx(2 * (600 + 800 + 1200), rel=0.1)


@pytest.mark.parametrize("turn_deg", [0, 20, 45, 77])
@pytest.mark.parametrize("spacing", [(1.0, 0.7, 0.7), (2.0, 0.5, 0.9)])
def test_the_axes_of_a_turned_ellipsoid_are_its_own(turn_deg: float, spacing):
    axes = axes_in_plane(ellipsoid((9, 12, 7), spacing, turn_deg))
    assert axes.long_mm == pytest.approx(24, abs=0.6)
    assert axes.short_mm == pytest.approx(14, abs=0.6)
    assert axes.mean_mm == pytest.approx(19, abs=0.5)


def test_the_axes_stand_at_right_angles_in_the_widest_slice():
    mask = ellipsoid((9, 12, 7), (1.0, 0.7, 0.7), 30)
    axes = axes_in_plane(mask)
    assert abs(axes.slice_index - mask.array.shape[0] // 2) <= 1
    long_way, short_way = (np.subtract(*ends) * 0.7 for ends in (axes.long_ends, axes.short_ends))
    assert abs(long_way @ short_way) < 1e-3 * axes.long_mm * axes.short_mm
    assert np.linalg.norm(long_way) == pytest.approx(axes.long_mm, rel=1e-5)
    assert np.linalg.norm(short_way) == pytest.approx(axes.short_mm, rel=1e-5)


def test_the_axes_of_a_rectangle_follow_recist():
    corners = np.array([(0, 0), (0, 4), (3, 4), (3, 0)], dtype=float)
    axes = axes_of_points(corners, pixel_mm=(1, 1))
    assert axes.long_mm == pytest.approx(5)
    assert axes.short_mm == pytest.approx(15 / 4)
    doubled = axes_of_points(corners, pixel_mm=(2, 2))
    assert doubled.long_mm == pytest.approx(10)


def test_the_longest_diameter_in_space_is_the_feret():
    long_way = ellipsoid((20, 8, 8), (1.25, 0.8, 0.8))
    assert feret_mm(long_way) == pytest.approx(40, abs=1.3)
    assert feret_mm(ellipsoid((6, 15, 9), (1.0, 0.6, 0.6), 50)) == pytest.approx(30, abs=0.6)
    flat = Mask(np.ones((1, 3, 4), dtype=bool), Grid.of_spacing((1, 3, 4), (1, 1, 1)))
    assert 3.6 < feret_mm(flat) <= 5


def test_partial_volume_counts_what_the_voxel_holds():
    fine = ellipsoid((5, 5, 5), (0.25, 0.25, 0.25)).array
    trimmed = fine[: fine.shape[0] // 4 * 4, : fine.shape[1] // 4 * 4, : fine.shape[2] // 4 * 4]
    shape = tuple(n // 4 for n in trimmed.shape)
    share = trimmed.reshape(shape[0], 4, shape[1], 4, shape[2], 4).mean(axis=(1, 3, 5))
    grid = Grid.of_spacing(shape, (1, 1, 1))
    hounsfield = -850 + 900 * share
    found = partial_volume_ml(hounsfield, Mask(np.ones(shape, dtype=bool), grid), inside=50, outside=-850)
    assert found == pytest.approx(4 / 3 * np.pi * 125 / 1000, rel=0.005)
    with pytest.raises(InputError, match="partial"):
        partial_volume_ml(hounsfield, Mask(share > 0, grid), inside=5, outside=5)


def test_without_a_pixel_size_nothing_has_a_size():
    mask = Mask(np.ones((1, 9, 9), dtype=bool), Grid.of_pixels((1, 9, 9)))
    for measure in (volume_ml, surface_mm2, sphericity, axes_in_plane, feret_mm):
        with pytest.raises(UnknownSpacingError):
            measure(mask)


def test_an_empty_mask_has_no_axes():
    empty = Mask(np.zeros((3, 3, 3), dtype=bool), Grid.of_spacing((3, 3, 3), (1, 1, 1)))
    assert surface_mm2(empty) == 0
    for measure in (axes_in_plane, feret_mm, sphericity):
        with pytest.raises(InputError, match="empty"):
            measure(empty)


def test_one_voxel_has_its_own_size():
    mask = np.zeros((3, 5, 5), dtype=bool)
    mask[1, 2, 2] = True
    axes = axes_in_plane(Mask(mask, Grid.of_spacing((3, 5, 5), (1, 0.7, 0.7))))
    assert axes.long_mm == pytest.approx(0.7, abs=0.01)
    assert axes.short_mm == pytest.approx(0.7, abs=0.01)
