import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.measure import (
    Measured,
    axial_mask,
    crop_mask,
    half_voxel_ml,
    is_flat,
    measure_partial_volume,
    measure_size,
    measure_values,
)


def by_name(rows: tuple[Measured, ...]) -> dict[str, Measured]:
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row for row in rows}


def ellipsoid(rng: np.random.Generator) -> tuple[Mask, np.ndarray]:
    """An ellipsoid along the axes at a random place between voxels, on slices of 1 to 3 pixels; its semi-axes."""
    spacing = np.array([rng.uniform(1, 3), 1, 1]) * rng.uniform(0.6, 2)
    semi = rng.uniform(3, 12, 3) * spacing[1]
    semi[0] = max(semi[0], 2 * spacing[0])
    size = (np.ceil(semi / spacing) * 2 + 5).astype(int)
    centre = (size - 1) / 2 * spacing + rng.uniform(-0.5, 0.5, 3) * spacing
    places = [
        np.reshape((np.arange(n) * step - c) / r, shape)
        for n, step, c, r, shape in zip(size, spacing, centre, semi, ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True)
    ]
    inside = places[0] ** 2 + places[1] ** 2 + places[2] ** 2 <= 1
    return Mask(inside, Grid.of_spacing(inside.shape, tuple(spacing))), semi


def surface_of(semi: np.ndarray) -> float:
    """Surface of an ellipsoid by numerical integration over latitude and longitude."""
    u, v = np.meshgrid((np.arange(120) + 0.5) / 120 * np.pi, (np.arange(120) + 0.5) / 120 * 2 * np.pi)
    a, b, c = semi
    density = np.sin(u) * np.sqrt(
        (b * c * np.sin(u) * np.cos(v)) ** 2 + (a * c * np.sin(u) * np.sin(v)) ** 2 + (a * b * np.cos(u)) ** 2
    )
    return float(density.sum() * np.pi / 120 * 2 * np.pi / 120)


def test_truth_lies_within_the_uncertainty_for_ninety_five_of_a_hundred_random_ellipsoids():
    rng = np.random.default_rng(11)
    hits: dict[str, list[bool]] = {}
    for _ in range(40):
        mask, semi = ellipsoid(rng)
        volume_ml = 4 / 3 * np.pi * np.prod(semi) / 1000
        area_mm2 = surface_of(semi)
        in_plane = np.sort(2 * semi[1:])
        truth = {
            "volume": volume_ml, "volume_mesh": volume_ml, "surface_area": area_mm2,
            "sphericity": np.pi ** (1 / 3) * (6000 * volume_ml) ** (2 / 3) / area_mm2,
            "long_axis": in_plane[1], "short_axis": in_plane[0], "mean_diameter": in_plane.mean(),
            "feret_max": 2 * semi.max(), "feret_min": 2 * semi.min(),
        }  # fmt: skip
        rows = by_name(measure_size(mask))
        for name, value in truth.items():
            hits.setdefault(name, []).append(abs(rows[name].value - value) <= rows[name].uncertainty)
    shares = {name: float(np.mean(each)) for name, each in hits.items()}
    assert min(shares.values()) >= 0.95, shares


def test_uncertainties_shrink_with_the_voxel():
    def ball(n: int) -> Mask:
        axis = ((np.arange(n) + 0.5) / n - 0.5) * 40
        inside = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2 <= 15**2
        return Mask(inside, Grid.of_spacing(inside.shape, (40 / n,) * 3))

    coarse, fine = by_name(measure_size(ball(20))), by_name(measure_size(ball(40)))
    for name in ("volume", "long_axis", "feret_max", "surface_area"):
        assert fine[name].uncertainty < 0.75 * coarse[name].uncertainty, name


def test_half_a_voxel_on_every_side_of_a_slab_is_half_a_voxel_of_its_two_faces():
    slab = np.zeros((9, 400, 400), bool)
    slab[3:6] = True
    grid = Grid.of_spacing(slab.shape, (2.0, 1.0, 1.0))
    assert half_voxel_ml(Mask(slab, grid)) == pytest.approx(400 * 400 * 2 / 1000, rel=0.001)


def test_axes_are_sought_in_axial_slices_also_of_a_sagittal_volume():
    array = np.zeros((12, 30, 40), bool)
    array[2:10, 4:26, 10:20] = True  # slices run to the left, rows to the feet, columns to the back
    affine = np.array([[2.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    mask = Mask(array, Grid(array.shape, affine))
    turned = axial_mask(mask)
    assert turned.array.shape == (30, 40, 12)
    assert turned.volume_ml == pytest.approx(mask.volume_ml)
    long_mm = by_name(measure_size(mask))["long_axis"].value
    assert 15 < long_mm < np.hypot(16, 10)


def test_cropping_keeps_every_voxel_in_its_place():
    array = np.zeros((30, 40, 50), bool)
    array[12:14, 20:25, 30:31] = True
    mask = Mask(array, Grid.of_spacing(array.shape, (3.0, 2.0, 1.0), (7.0, 8.0, 9.0)))
    part = crop_mask(mask)
    assert part.array.size < array.size
    np.testing.assert_allclose(
        part.grid.to_world_mm(np.argwhere(part.array)), mask.grid.to_world_mm(np.argwhere(mask.array))
    )


def test_a_flat_picture_without_a_pixel_size_is_measured_in_pixels():
    array = np.zeros((1, 40, 40), bool)
    array[0, 5:15, 10:30] = True
    mask = Mask(array, Grid.of_pixels(array.shape))
    rows = by_name(measure_size(mask))
    assert is_flat(mask.grid)
    assert {row.unit for row in rows.values()} == {"1", "px", "px2"}
    assert rows["area"].value == 200 and "volume" not in rows
    known = by_name(measure_size(Mask(array, mask.grid.with_spacing(0.5, 0.5))))
    assert (known["area"].value, known["area"].unit) == (50, "mm2")
    assert known["long_axis"].value == pytest.approx(rows["long_axis"].value / 2)


def test_a_stack_without_spacing_gives_counts_only():
    rows = by_name(measure_size(Mask(np.ones((4, 4, 4), bool), Grid.of_pixels((4, 4, 4)))))
    assert set(rows) == {"voxels", "components"} and rows["voxels"].value == 64


def test_one_voxel_and_several_pieces_are_measured():
    array = np.zeros((9, 9, 9), bool)
    array[2, 2, 2] = True
    grid = Grid.of_spacing(array.shape, (2.0, 1.0, 1.0))
    one = by_name(measure_size(Mask(array, grid)))
    assert one["volume"].value == pytest.approx(0.002) and one["components"].value == 1
    assert all(np.isfinite(row.value) for row in one.values())
    array[6, 6, 6] = True
    two = by_name(measure_size(Mask(array, grid)))
    assert two["components"].value == 2
    assert all("over 2 pieces" in two[name].method for name in ("long_axis", "feret_max"))


def test_values_are_named_by_the_images_unit():
    array = np.full((9, 20, 20), 40.0, np.float32)
    inside = np.zeros(array.shape, bool)
    inside[3:6, 5:15, 5:15] = True
    grid = Grid.of_spacing(array.shape, (3.0, 1.0, 1.0))
    hu = by_name(measure_values(Volume(array, grid, "HU", "CT"), Mask(inside, grid)))
    assert (hu["hu_mean"].value, hu["hu_mean"].unit, hu["hu_mean"].uncertainty) == (40, "HU", 0)
    assert set(by_name(measure_values(Volume(array, grid), Mask(inside, grid)))) == {
        f"intensity_{name}" for name in ("mean", "sd", "min", "max", "median", "p10", "p90")
    }


def test_uptake_has_peak_volume_and_glycolysis():
    array = np.ones((9, 20, 20), np.float32)
    array[3:6, 5:15, 5:15] = 4
    array[4, 8:12, 8:12] = 12
    inside = array > 2
    grid = Grid.of_spacing(array.shape, (3.0, 3.0, 3.0))
    rows = by_name(measure_values(Volume(array, grid, "SUVbw", "PT"), Mask(inside, grid)))
    assert (rows["suv_max"].value, rows["suv_max"].unit) == (12, "g/ml")
    assert rows["mtv"].value == pytest.approx(300 * 0.027) and rows["mtv_41"].value == pytest.approx(16 * 0.027)
    assert rows["tlg"].value == pytest.approx(rows["suv_mean"].value * rows["mtv"].value)
    assert rows["tlg_41"].unit == "g" and 4 < rows["suv_peak"].value < 12


def test_partial_volume_is_offered_only_where_the_image_shows_a_boundary():
    axis = (np.arange(24) - 11.5) ** 2
    inside = axis[:, None, None] + axis[:, None] + axis <= 36
    grid = Grid.of_spacing(inside.shape, (1.0, 1.0, 1.0))
    mask = Mask(inside, grid)
    (row,) = measure_partial_volume(Volume(inside * 100.0, grid), mask)
    assert row.name == "volume_partial" and row.value == pytest.approx(mask.volume_ml)
    assert measure_partial_volume(Volume(np.ones(inside.shape), grid), mask) == ()
    colour = Volume(np.zeros((*inside.shape, 3), np.uint8), grid, "sRGB")
    assert measure_partial_volume(colour, mask) == ()


def test_empty_masks_and_colour_are_refused():
    grid = Grid.of_spacing((3, 9, 9), (1.0, 1.0, 1.0))
    empty, full = Mask(np.zeros((3, 9, 9), bool), grid), Mask(np.ones((3, 9, 9), bool), grid)
    assert crop_mask(empty) is empty
    with pytest.raises(InputError, match="empty"):
        measure_size(empty)
    with pytest.raises(InputError, match="empty"):
        measure_values(Volume(np.zeros((3, 9, 9)), grid), empty)
    with pytest.raises(InputError, match="colour"):
        measure_values(Volume(np.zeros((3, 9, 9, 3), np.uint8), grid, "sRGB"), full)
