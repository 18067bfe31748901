import numpy as np
import pytest

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features import caliper
from isocenter.imaging.features.caliper import calipers, surface_points
from isocenter.imaging.features.outline import edge_points


def ellipsoid(rng: np.random.Generator) -> tuple[Mask, np.ndarray, np.ndarray, np.ndarray]:
    """A turned ellipsoid on slices of up to three times the pixel: mask, semi-axes, their directions, spacing."""
    spacing = np.array([rng.uniform(1, 3), 1, 1]) * rng.uniform(0.7, 2)
    semi = rng.uniform(3, 12, 3) * spacing[1]
    semi = np.maximum(semi, 2 * spacing[0])
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    size = (np.ceil(semi.max() / spacing) * 2 + 5).astype(int)
    centre = (size - 1) / 2 * spacing + rng.uniform(-0.5, 0.5, 3) * spacing
    places = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1) * spacing - centre
    inside = (((places @ turn) / semi) ** 2).sum(axis=-1) <= 1
    return Mask(inside, Grid.of_spacing(inside.shape, tuple(spacing))), semi, turn, spacing


def test_calipers_of_turned_ellipsoids_are_within_a_voxel_of_their_axes():
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(60):
        mask, semi, turn, spacing = ellipsoid(rng)
        found = calipers(mask)
        longest, shortest = int(semi.argmax()), int(semi.argmin())
        errors.append(
            (
                (found.longest_mm - 2 * semi[longest]) / np.linalg.norm(turn[:, longest] * spacing),
                (found.shortest_mm - 2 * semi[shortest]) / np.linalg.norm(turn[:, shortest] * spacing),
            )
        )
    assert (np.abs(errors) < 1).mean() > 0.95
    assert np.abs(np.mean(errors, axis=0)).max() < 0.3


def test_the_ends_and_directions_belong_to_the_distances():
    mask, *_ = ellipsoid(np.random.default_rng(7))
    found = calipers(mask)
    ends = np.array(found.longest_ends) * mask.grid.spacing_mm
    along = ends[1] - ends[0]
    assert np.linalg.norm(along) == pytest.approx(found.longest_mm)
    np.testing.assert_allclose(along / found.longest_mm, found.longest_direction, atol=1e-9)
    places = surface_points(mask.array) * mask.grid.spacing_mm
    assert np.ptp(places @ np.array(found.shortest_direction)) == pytest.approx(found.shortest_mm, abs=1e-3)
    assert found.shortest_mm < found.longest_mm


def test_calipers_do_not_depend_on_where_the_mask_lies():
    mask, *_ = ellipsoid(np.random.default_rng(9))
    moved = np.zeros(np.add(mask.array.shape, 7), bool)
    moved[5:-2, 3:-4, 1:-6] = mask.array
    spacing = tuple(float(step) for step in mask.grid.spacing_mm)
    assert calipers(Mask(moved, Grid.of_spacing(moved.shape, spacing))).longest_mm == pytest.approx(
        calipers(mask).longest_mm
    )


def test_one_voxel_is_about_one_voxel_long():
    array = np.zeros((3, 3, 3), bool)
    array[1, 1, 1] = True
    found = calipers(Mask(array, Grid.of_spacing(array.shape, (2.0, 2.0, 2.0))))
    assert 1.5 < found.longest_mm < 2.5


def test_a_plate_of_one_slice_is_as_thick_as_the_slice():
    array = np.zeros((3, 30, 40), bool)
    array[1, 5:20, 5:25] = True
    found = calipers(Mask(array, Grid.of_spacing(array.shape, (5.0, 1.0, 1.0))))
    assert found.shortest_mm == pytest.approx(5, abs=1)
    assert found.shortest_direction == pytest.approx((1, 0, 0), abs=0.05) or found.shortest_direction == pytest.approx(
        (-1, 0, 0), abs=0.05
    )


def test_a_mask_too_large_to_smooth_has_the_hull_of_its_voxels(monkeypatch):
    mask, semi, *_ = ellipsoid(np.random.default_rng(12))
    smooth = calipers(mask)
    monkeypatch.setattr(caliper, "_SMOOTHED_AT_MOST", 10)
    raw = calipers(mask)
    every = edge_points(mask.array) * mask.grid.spacing_mm
    assert raw.longest_mm == pytest.approx(max(np.linalg.norm(every - point, axis=1).max() for point in every))
    assert raw.longest_mm == pytest.approx(smooth.longest_mm, abs=float(mask.grid.spacing_mm.max()))
    assert raw.shortest_mm == pytest.approx(2 * semi.min(), abs=float(mask.grid.spacing_mm.max()))


def test_an_empty_mask_and_an_unknown_spacing_are_refused():
    with pytest.raises(InputError, match="empty"):
        calipers(Mask(np.zeros((3, 3, 3), bool), Grid.of_spacing((3, 3, 3), (1, 1, 1))))
    with pytest.raises(UnknownSpacingError):
        calipers(Mask(np.ones((1, 3, 3), bool), Grid.of_pixels((1, 3, 3))))
