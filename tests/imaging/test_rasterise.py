import numpy as np
import pytest

from isocenter.core.contours import Structure
from isocenter.core.errors import GeometryError
from isocenter.core.grid import Grid
from isocenter.imaging.rasterise import (
    fill_polygons,
    grid_of_structures,
    is_parallel,
    plane_step,
    rasterise_structure,
)


def ellipse(centre, radii, *, turn=0.0, n=720):
    """(n, 2) points of an ellipse around a centre (row, column)."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    along, across = radii[0] * np.cos(angle), radii[1] * np.sin(angle)
    rows = centre[0] + along * np.cos(turn) - across * np.sin(turn)
    columns = centre[1] + along * np.sin(turn) + across * np.cos(turn)
    return np.stack([rows, columns], axis=1)


def inside_by_winding(polygon, points):
    """Whether the polygon winds around each point: the sum of the angles under which its edges are seen."""
    seen = polygon[None] - points[:, None]
    angles = np.arctan2(seen[..., 0], seen[..., 1])
    turns = np.diff(np.concatenate([angles, angles[:, :1]], axis=1), axis=1)
    return np.abs(((turns + np.pi) % (2 * np.pi) - np.pi).sum(axis=1)) > np.pi


def drawn(planes, grid, number=1):
    """A structure of curves (slice, (n, 2) row and column), placed in the patient by the grid."""
    curves = [grid.to_world_mm(np.column_stack([np.full(len(p), k), p])) for k, p in planes]
    return Structure(number, "", tuple(curves))


def test_the_area_of_an_ellipse_is_right_wherever_it_lies_between_pixels():
    rng = np.random.default_rng(1)
    for _ in range(40):
        radii, turn, centre = rng.uniform(6, 25, 2), rng.uniform(0, np.pi), rng.uniform(28, 32, 2)
        counted = fill_polygons([ellipse(centre, radii, turn=turn)], (60, 60)).sum()
        # The lattice points of a convex set differ from its area by less than the border allows.
        assert abs(counted - np.pi * radii.prod()) < 1.2 * np.sqrt(radii.max()) * 2
    areas = [fill_polygons([ellipse(centre, (9.3, 5.7))], (40, 40)).sum() for centre in rng.uniform(18, 20, (400, 2))]
    assert np.mean(areas) == pytest.approx(np.pi * 9.3 * 5.7, rel=2e-3)


def test_each_pixel_agrees_with_the_winding_number():
    rng = np.random.default_rng(2)
    centres = np.stack(np.meshgrid(np.arange(30), np.arange(31), indexing="ij"), axis=-1).reshape(-1, 2).astype(float)
    for _ in range(20):
        spread = rng.uniform(4, 13, 25)
        angle = np.sort(rng.uniform(0, 2 * np.pi, 25))
        star = np.stack([15.1 + spread * np.cos(angle), 14.9 + spread * np.sin(angle)], axis=1)
        assert np.array_equal(fill_polygons([star], (30, 31)).ravel(), inside_by_winding(star, centres))


def test_polygons_that_share_a_border_share_no_pixel_and_leave_none_out():
    upper = np.array([(2, 2), (2, 12), (7, 12), (7, 2)], float)
    lower = np.array([(7, 2), (7, 12), (11, 12), (11, 2)], float)
    one, other = fill_polygons([upper], (14, 15)), fill_polygons([lower], (14, 15))
    assert not (one & other).any() and (one | other).sum() == 9 * 10


def test_a_curve_inside_another_is_a_hole_and_one_inside_that_is_not():
    rings = [ellipse((30, 30), (r, r)) for r in (24.5, 16.5, 8.5)]
    filled = fill_polygons(rings, (61, 61))
    assert filled[30, 30] and not filled[30, 42] and filled[30, 50] and not filled[30, 58]
    assert filled.sum() == pytest.approx(np.pi * (24.5**2 - 16.5**2 + 8.5**2), rel=0.02)
    keyhole = np.concatenate([rings[0], rings[0][:1], rings[1][::-1], rings[1][-1:]])
    assert fill_polygons([keyhole], (61, 61)).sum() == pytest.approx(np.pi * (24.5**2 - 16.5**2), rel=0.02)


def test_what_lies_beyond_the_picture_is_cut_off():
    assert fill_polygons([np.array([(-9, -9), (-9, 99), (99, 99), (99, -9)], float)], (5, 6)).all()
    assert not fill_polygons([np.array([(9, 9), (9, 99), (99, 99), (99, 9)], float)], (5, 6)).any()


@pytest.fixture(params=["axial", "oblique", "flipped"])
def grid(request):
    """A grid of 12 slices, 40 rows, 50 columns; turned or flipped in the patient."""
    plain = Grid.of_spacing((12, 40, 50), (3.0, 0.8, 0.9), (-20.0, 33.0, 7.0))
    affine = plain.affine.copy()
    if request.param == "oblique":
        turn, tip = np.deg2rad(31), np.deg2rad(-17)
        about_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        about_x = [[1, 0, 0], [0, np.cos(tip), -np.sin(tip)], [0, np.sin(tip), np.cos(tip)]]
        affine[:3] = np.array(about_z) @ np.array(about_x) @ affine[:3]
    if request.param == "flipped":
        affine[:3, 2] *= -1
    return Grid(plain.shape, affine)


def test_curves_fill_the_slices_in_which_they_were_drawn(grid):
    curve = ellipse((20.3, 24.6), (9.2, 14.1), turn=0.4)
    found = rasterise_structure(drawn([(k, curve) for k in (4, 5, 8)], grid), grid)
    assert sorted(found) == [4, 5, 8]
    assert all(np.array_equal(plane, fill_polygons([curve], (40, 50))) for plane in found.values())


def test_slices_between_regular_planes_take_the_nearest_and_the_volume_is_area_times_distance(grid):
    curve = ellipse((20, 25), (9.2, 14.1))
    found = rasterise_structure(drawn([(k, curve) for k in (2, 5, 8)], grid), grid)
    assert sorted(found) == list(range(1, 10))
    fine = rasterise_structure(drawn([(k, curve) for k in np.arange(3.0, 6.01, 0.25)], grid), grid)
    assert sorted(fine) == [3, 4, 5, 6]
    between = rasterise_structure(drawn([(k + 0.5, curve) for k in range(3, 6)], grid), grid)
    assert len(between) == 3


def test_curves_of_neighbouring_planes_do_not_cancel_each_other(grid):
    curve = ellipse((20, 25), (9.2, 14.1))
    near = rasterise_structure(drawn([(4.0, curve), (4.2, curve)], grid), grid)
    assert sorted(near) == [4] and near[4].any()


def test_curves_across_the_slices_need_a_grid_of_their_own():
    image = Grid.of_spacing((30, 40, 50), (3.0, 0.8, 0.9))
    sagittal = Grid((12, 60, 60), np.array([[2.5, 0, 0, 3], [0, 0, 0.7, -4], [0, 0.7, 0, 5], [0, 0, 0, 1]], float))
    structure = drawn([(k, ellipse((30, 30), (12.4, 20.2))) for k in range(2, 9)], sagittal)
    assert not is_parallel(structure, image)
    with pytest.raises(GeometryError, match="parallel"):
        rasterise_structure(structure, image)
    own = grid_of_structures([structure], 0.5)
    planes = rasterise_structure(structure, own)
    volume_ml = sum(plane.sum() for plane in planes.values()) * own.voxel_volume_ml
    assert volume_ml == pytest.approx(np.pi * 12.4 * 20.2 * 0.7**2 * 7 * 2.5 / 1000, rel=0.005)
    one = drawn([(4, ellipse((30, 30), (12.4, 20.2)))], sagittal)
    with pytest.raises(GeometryError, match="thickness"):
        grid_of_structures([one], 0.5)
    with pytest.raises(GeometryError, match="several directions"):
        grid_of_structures([structure, drawn([(3, ellipse((20, 20), (9, 9)))], image)], 0.5)


def test_planes_far_apart_are_no_regular_distance():
    assert plane_step(np.array([1.0, 9.0])) == 0 and plane_step(np.array([1.0, 2.0, 3.0, 9.0])) == 1
    assert plane_step(np.array([0.0, 1.0, 9.0, 30.0])) == 0
