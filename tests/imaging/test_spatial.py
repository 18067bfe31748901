"""Places stay places: a field that is linear in the patient stays itself on any grid."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.core.errors import GeometryError, InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Instance, Source, Volume
from isocenter.imaging.spatial import (
    crop_to_box,
    pad_volume,
    reorient_to_axial,
    resample_mask,
    resample_to,
    resample_volume,
)


def oblique_grid(shape: tuple[int, int, int] = (9, 12, 14), seed: int = 0) -> Grid:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array((2.5, 0.8, 0.7))
    affine[:3, 3] = rng.normal(size=3) * 50
    return Grid(shape, affine)


def field_on(grid: Grid) -> np.ndarray:
    """x + 2 y - 3 z in millimetres at every voxel centre."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    return grid.to_world_mm(index) @ np.array((1.0, 2.0, -3.0))


def field_volume(grid: Grid) -> Volume:
    return Volume(field_on(grid).astype(np.float32), grid)


def well_inside(grid: Grid, volume: Volume) -> np.ndarray:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    place = volume.grid.to_index(grid.to_world_mm(index))
    return ((place >= 0) & (place <= np.asarray(volume.grid.shape) - 1)).all(axis=-1)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.5, 0.8, 0.7), (4.0, 0.5, 1.9)])
def test_a_linear_field_stays_itself_at_another_spacing(spacing_mm, interpolation):
    volume = field_volume(oblique_grid((12, 24, 28)))
    moved = resample_volume(volume, spacing_mm, interpolation=interpolation)
    np.testing.assert_allclose(moved.grid.spacing_mm, spacing_mm)
    core = volume if interpolation == "linear" else crop_to_box(volume, (4, 5, 5), (8, 19, 23))
    inside = well_inside(moved.grid, core)
    assert inside.any()
    # A cubic spline rings where the border repeats, less with every voxel from it.
    assert np.abs(moved.array - field_on(moved.grid))[inside].max() < (2e-3 if interpolation == "linear" else 0.1)


def test_the_corner_of_the_first_voxel_and_the_field_of_view_stay():
    volume = field_volume(oblique_grid())
    moved = resample_volume(volume, (1.3, 1.3, 1.3))
    np.testing.assert_allclose(moved.grid.to_world_mm((-0.5,) * 3), volume.grid.to_world_mm((-0.5,) * 3))
    extent = np.array(moved.grid.shape) * 1.3 - np.array(volume.grid.shape) * volume.grid.spacing_mm
    assert (np.abs(extent) <= 0.65 + 1e-9).all()


def test_the_same_spacing_and_the_same_grid_change_nothing():
    volume = field_volume(oblique_grid())
    for moved in (resample_volume(volume, volume.grid.spacing_mm), resample_to(volume, volume.grid)):
        np.testing.assert_array_equal(moved.array, volume.array)
        np.testing.assert_allclose(moved.grid.affine, volume.grid.affine)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((1, -1), repeat=3)))
def test_parallel_grids_of_all_48_orientations_keep_the_field(order, flips):
    volume = field_volume(Grid.of_spacing((9, 12, 14), (2.5, 0.8, 0.7), (3.0, -40.0, 7.0)))
    directions = volume.grid.affine[:3, :3][:, order] * flips * 0.9
    shape = tuple(volume.grid.shape[axis] for axis in order)
    centre = volume.grid.to_world_mm((np.array(volume.grid.shape) - 1) / 2)
    affine = np.eye(4)
    affine[:3, :3] = directions
    affine[:3, 3] = centre - directions @ ((np.array(shape) - 1) / 2)
    grid = Grid(shape, affine)
    moved = resample_to(volume, grid)
    assert np.abs(moved.array - field_on(grid)).max() < 2e-3


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_an_oblique_grid_agrees_with_simpleitk(interpolation: str):
    rng = np.random.default_rng(3)
    volume = Volume(rng.normal(size=(12, 16, 18)).astype(np.float32), oblique_grid((12, 16, 18), seed=1))
    turned = oblique_grid((10, 11, 12), seed=1).affine.copy()
    angle = np.deg2rad(12)
    turned[:3, :3] = turned[:3, :3] @ np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    turned[:3, 3] = volume.grid.to_world_mm((0.7, 3.1, 2.2))
    grid = Grid((10, 11, 12), turned)
    method = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline}[interpolation]
    expected = _by_simpleitk(volume, grid, method)
    moved = resample_to(volume, grid, interpolation=interpolation)
    inside = well_inside(grid, volume)
    if interpolation == "cubic":  # the border conditions of the splines differ
        shrunk = Volume(volume.array[4:-4, 4:-4, 4:-4], crop_to_box(volume, (4, 4, 4), (8, 12, 14)).grid)
        inside = well_inside(grid, shrunk)
    assert inside.sum() > 20
    assert np.abs(moved.array - expected)[inside].max() < (0.05 if interpolation == "cubic" else 1e-4)


def _itk(grid: Grid, array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    image.SetSpacing(spacing[::-1].tolist())
    image.SetOrigin(grid.affine[:3, 3].tolist())
    image.SetDirection((grid.affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    return image


def _by_simpleitk(volume: Volume, grid: Grid, method: int) -> np.ndarray:
    reference = _itk(grid, np.zeros(grid.shape, dtype=np.float32))
    moved = sitk.Resample(_itk(volume.grid, volume.array), reference, sitk.Transform(), method, 0.0)
    return sitk.GetArrayFromImage(moved)


def test_beyond_the_field_of_view_stands_what_the_caller_says():
    volume = Volume(np.full((4, 5, 6), 7.0, dtype=np.float32), Grid.of_spacing((4, 5, 6), (1, 1, 1)))
    wide = Grid.of_spacing((8, 9, 10), (1, 1, 1), (-2.0, -2.0, -2.0))
    moved = resample_to(volume, wide, outside=-1000)
    expected = np.full(wide.shape, -1000.0)
    expected[2:6, 2:7, 2:8] = 7
    np.testing.assert_array_equal(moved.array, expected)


def test_nearest_keeps_the_type_and_the_labels():
    labels = np.random.default_rng(5).integers(0, 4, (6, 7, 8)).astype(np.uint8)
    volume = Volume(labels, Grid.of_spacing((6, 7, 8), (2, 1, 1)))
    moved = resample_volume(volume, (1.0, 0.5, 0.5), interpolation="nearest")
    assert moved.array.dtype == np.uint8
    np.testing.assert_array_equal(moved.array, labels.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    mask = Mask(labels > 1, volume.grid)
    np.testing.assert_array_equal(resample_mask(mask, moved.grid).array, moved.array > 1)


def test_colour_is_resampled_channel_by_channel():
    array = np.random.default_rng(6).random((2, 8, 8, 3)).astype(np.float32)
    volume = Volume(array, Grid.of_spacing((2, 8, 8), (1, 1, 1)))
    moved = resample_volume(volume, (1, 2, 2))
    single = resample_volume(Volume(array[..., 1], volume.grid), (1, 2, 2))
    np.testing.assert_array_equal(moved.array[..., 1], single.array)


def test_without_a_pixel_size_there_is_no_spacing_to_resample_to():
    with pytest.raises(UnknownSpacingError):
        resample_volume(Volume(np.zeros((1, 4, 4)), Grid.of_pixels((1, 4, 4))), (1, 1, 1))
    with pytest.raises(InputError, match="spacing"):
        resample_volume(field_volume(oblique_grid()), (1, 0, 1))
    with pytest.raises(InputError, match="interpolation"):
        resample_to(field_volume(oblique_grid()), oblique_grid(), interpolation="magic")  # type: ignore[arg-type]


def test_cropping_and_padding_keep_places_and_slices():
    instances = tuple(Instance("1.2", f"1.2.{k}") for k in range(9))
    volume = Volume(field_on(oblique_grid()), oblique_grid(), source=Source("dicom", instances=instances))
    part = crop_to_box(volume, (2, 1, 3), (7, 9, 10))
    np.testing.assert_allclose(part.array, field_on(part.grid))
    assert part.source.instances == instances[2:7]
    whole = pad_volume(part, (2, 1, 3), (2, 3, 4), value=-1)
    assert whole.array.shape == volume.array.shape
    np.testing.assert_allclose(whole.grid.affine, volume.grid.affine)
    np.testing.assert_allclose(whole.array[2:7, 1:9, 3:10], part.array)
    assert whole.source.instances == ()
    with pytest.raises(GeometryError, match="crop"):
        crop_to_box(volume, (0, 0, 0), (10, 2, 2))
    with pytest.raises(InputError, match="pad"):
        pad_volume(volume, (-1, 0, 0), (0, 0, 0))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((1, -1), repeat=3)))
def test_turning_to_axial_keeps_every_voxel_in_its_place(order, flips):
    affine = np.eye(4)
    tilt = np.deg2rad(10)
    tilted = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    affine[:3, :3] = (tilted @ np.array([[0, 0, 0.7], [0, 0.8, 0], [2.5, 0, 0]]))[:, order] * flips
    affine[:3, 3] = (5, -6, 7)
    shape = tuple((4, 5, 6)[axis] for axis in order)
    turned = reorient_to_axial(field_volume(Grid(shape, affine)))
    assert turned.array.shape == (4, 5, 6)
    np.testing.assert_allclose(turned.array, field_on(turned.grid), atol=1e-4)
    directions = turned.grid.affine[:3, :3]
    assert directions[2, 0] > 0 and directions[1, 1] > 0 and directions[0, 2] > 0


def test_flipped_slices_keep_their_instances_in_order():
    affine = Grid.of_spacing((3, 4, 5), (1, 1, 1)).affine.copy()
    affine[2, 0] = -1
    instances = tuple(Instance("1.2", f"1.2.{k}") for k in range(3))
    volume = Volume(np.zeros((3, 4, 5)), Grid((3, 4, 5), affine), source=Source("dicom", instances=instances))
    assert reorient_to_axial(volume).source.instances == instances[::-1]
