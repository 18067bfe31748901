"""One image in, one image out, whatever the suffix."""

import numpy as np
import pytest

from isocenter.app.enhance_files import enhance_file
from isocenter.app.image_files import open_image, open_labels, save_image, save_labels
from isocenter.app.segment_files import segment_file
from isocenter.core.errors import GeometryError, InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.mask import LabelMap
from isocenter.core.volume import Volume
from isocenter.io.raster import write_png


def oblique() -> Grid:
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.array([[0, 0, 0.7], [0, 0.8, 0], [2.5, 0, 0]])
    affine[:3, 3] = (-12.5, 40, 7)
    return Grid((4, 5, 6), affine)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8])
def test_a_volume_comes_back_with_its_voxels_and_place(tmp_path, suffix, dtype):
    array = np.random.default_rng(0).integers(0, 200, (4, 5, 6)).astype(dtype)
    volume = Volume(array, oblique())
    path = tmp_path / f"v{suffix}"
    save_image(volume, path)
    back = open_image(path)
    assert back.array.dtype == dtype
    corners = np.array([[0, 0, 0], [3, 4, 5], [3, 0, 0], [0, 4, 0]])
    order = back.grid.to_index(volume.grid.to_world_mm(corners))
    assert np.abs(order - np.round(order)).max() < 1e-4
    for corner, index in zip(corners, np.round(order).astype(int), strict=True):
        assert back.array[tuple(index)] == array[tuple(corner)]


def test_metaimage_is_what_itk_reads(tmp_path):
    import SimpleITK as sitk

    volume = Volume(np.arange(120, dtype=np.int16).reshape(4, 5, 6), oblique())
    save_image(volume, tmp_path / "v.mha")
    image = sitk.ReadImage(str(tmp_path / "v.mha"))
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.array)
    place = image.TransformIndexToPhysicalPoint((5, 2, 3))
    assert np.allclose(place, volume.grid.to_world_mm(np.array([3, 2, 5])), atol=1e-6)


def test_a_picture_keeps_its_numbers_in_png_and_npy(tmp_path):
    array = np.random.default_rng(1).integers(0, 255, (1, 9, 7)).astype(np.uint8)
    volume = Volume(array, Grid.of_pixels((1, 9, 7)))
    for name in ("p.png", "p.npy"):
        save_image(volume, tmp_path / name)
        assert np.array_equal(open_image(tmp_path / name).array, array)
    save_image(volume.with_array(array.astype(np.float32) + 0.2), tmp_path / "f.png")
    assert np.array_equal(open_image(tmp_path / "f.png").array, array)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".png"])
def test_colours_with_fractions_are_rounded(tmp_path, suffix):
    colours = np.random.default_rng(2).uniform(0, 255, (1, 9, 7, 3)).astype(np.float32)
    path = tmp_path / f"c{suffix}"
    save_image(Volume(colours, Grid.of_pixels((1, 9, 7)), "sRGB"), path)
    assert np.array_equal(open_image(path).array, np.round(colours))


def test_a_png_refuses_what_it_cannot_hold(tmp_path):
    flat = Volume(np.full((1, 4, 4), -900.0), Grid.of_pixels((1, 4, 4)))
    with pytest.raises(InputError, match="apply a window"):
        save_image(flat, tmp_path / "a.png")
    with pytest.raises(InputError, match="one slice"):
        save_image(Volume(np.zeros((2, 4, 4), np.uint8), Grid.of_pixels((2, 4, 4))), tmp_path / "a.png")
    with pytest.raises(InputError, match="ends in"):
        save_image(flat, tmp_path / "a.jpeg2")
    assert list(tmp_path.iterdir()) == []


def test_labels_are_numbers_in_volumes_and_black_and_white_in_pictures(tmp_path):
    array = np.zeros((1, 6, 6), np.int32)
    array[0, 2:4, 2:4] = 1
    labels = LabelMap(array, Grid.of_pixels((1, 6, 6)))
    for name, expected in (("m.png", 255), ("m.nii.gz", 1)):
        save_labels(labels, tmp_path / name)
        assert set(np.unique(open_image(tmp_path / name).array)) == {0, expected}
        assert np.array_equal(open_labels(tmp_path / name).array, array)


def test_a_mask_without_a_place_takes_the_place_of_its_image(tmp_path):
    image = Volume(np.zeros((1, 6, 6), np.float32), Grid.of_spacing((1, 6, 6), (3, 0.5, 0.5)))
    write_png(np.full((6, 6), 255, np.uint8), tmp_path / "m.png")
    assert open_labels(tmp_path / "m.png", image).grid is image.grid
    write_png(np.full((5, 6), 255, np.uint8), tmp_path / "small.png")
    with pytest.raises(GeometryError, match="draw it on this image"):
        open_labels(tmp_path / "small.png", image)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "taken.npy").mkdir()
    for name, says in (("out.jpg", "expected a name"), ("no/out.npy", "expected a folder"), ("taken.npy", "a folder")):
        # The sources are not there either: the place of the result is looked at first.
        for work in (
            lambda out: enhance_file("median", tmp_path / "none", out, {}),
            lambda out: segment_file("otsu", tmp_path / "none", out, {}),
        ):
            with pytest.raises(InputError, match=says):
                work(tmp_path / name)


def test_what_is_no_image_is_one_line(tmp_path):
    (tmp_path / "x.png").write_bytes(b"not a picture")
    for name in ("x.png", "absent.nii"):
        with pytest.raises(UnreadableError) as caught:
            open_image(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_fractions_colours_and_negative_numbers_are_no_labels(tmp_path):
    save_image(Volume(np.full((2, 3, 3), 0.4, np.float32), oblique_like((2, 3, 3))), tmp_path / "f.nii")
    save_image(Volume(np.full((2, 3, 3), -1, np.int16), oblique_like((2, 3, 3))), tmp_path / "n.nii")
    write_png(np.random.default_rng(0).integers(0, 255, (4, 4, 3)).astype(np.uint8), tmp_path / "c.png")
    for name, says in (("f.nii", "fractions"), ("n.nii", "0 and more"), ("c.png", "colour")):
        with pytest.raises(InputError, match=says):
            open_labels(tmp_path / name)


def oblique_like(shape: tuple[int, int, int]) -> Grid:
    return Grid.of_spacing(shape, (1, 1, 1))
