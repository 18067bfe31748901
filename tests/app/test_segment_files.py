"""Every method on a file of a disc or a ball: labels on its grid, and one line for what cannot be done."""

import numpy as np
import pytest

from isocenter.app.image_files import open_labels, save_image
from isocenter.app.segment_files import METHODS, describe_methods, segment_file
from isocenter.core.errors import InputError, IsocenterError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume

CONTRACT = {
    "threshold", "otsu", "multi-otsu", "adaptive", "region-growing", "watershed", "edge", "active-contour", "level-set",
    "random-walker", "graph-cut", "texture", "kmeans", "gmm", "slic", "pet-41",
}  # fmt: skip
# What has other labels than the body's.
OTHERS = ("multi-otsu", "edge", "texture", "kmeans", "gmm", "slic", "pet-fixed")


def write_ball(path, *, n_slices=20, size=32, spread=8.0) -> np.ndarray:
    k, j, i = np.mgrid[:n_slices, :size, :size]
    truth = (2 * (k - n_slices // 2)) ** 2 + (j - 15) ** 2 + (i - 17) ** 2 <= 10**2
    image = 20 + 150 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    values = np.clip(image, 0, 255).astype(np.uint8)
    grid = Grid.of_spacing(truth.shape, (2.0, 1.0, 1.0)) if n_slices > 1 else Grid.of_pixels(truth.shape)
    save_image(Volume(values, grid), path)
    return truth


def test_the_table_holds_the_contracts_names():
    assert set(METHODS) >= CONTRACT
    assert len(describe_methods()) == len(METHODS)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_writes_labels_on_the_images_grid(method, tmp_path):
    truth = write_ball(tmp_path / "ball.nii.gz")
    options = {"suv": "90"} if method == "pet-fixed" else {"percent": "60"} if method == "pet-41" else {}
    done = segment_file(method, tmp_path / "ball.nii.gz", tmp_path / "out.nii.gz", options)
    back = open_labels(tmp_path / "out.nii.gz")
    assert back.grid.spacing_mm.tolist() == [2.0, 1.0, 1.0]
    np.testing.assert_array_equal(back.array, done.labels.array)
    assert back.array.any()
    if method not in OTHERS:
        assert 2 * (truth & (back.array > 0)).sum() / (truth.sum() + (back.array > 0).sum()) > 0.95


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_takes_a_picture(method, tmp_path):
    truth = write_ball(tmp_path / "disc.png", n_slices=1)
    options = {"suv": "90"} if method == "pet-fixed" else {"percent": "60"} if method == "pet-41" else {}
    segment_file(method, tmp_path / "disc.png", tmp_path / "out.png", options)
    back = open_labels(tmp_path / "out.png").array
    if method not in OTHERS:
        assert 2 * (truth & (back > 0)).sum() / (truth.sum() + (back > 0).sum()) > 0.95


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("kind", ["constant", "nan", "needle"])
def test_bad_images_give_labels_or_one_line(method, kind, tmp_path):
    array = np.full((6, 8, 10), 7.0, np.float32)
    if kind == "nan":
        array[2, 3, 4] = np.nan
    if kind == "needle":  # one voxel in a 20 : 1 grid
        array[2, 3, 4] = 90.0
    volume = Volume(array, Grid.of_spacing(array.shape, (20.0, 1.0, 1.0)))
    try:
        found = METHODS[method](volume)
    except IsocenterError as error:
        assert "\n" not in str(error)
        assert "expected" in str(error)
        return
    assert kind != "nan"
    assert getattr(found, "mask", found).shape == array.shape


def test_colour_is_taken_as_gray(tmp_path):
    write_ball(tmp_path / "disc.png", n_slices=1)
    colour = np.zeros((1, 24, 24, 3), np.uint8)
    colour[0, 6:18, 6:18] = (200, 120, 40)
    save_image(Volume(colour, Grid.of_pixels((1, 24, 24)), "sRGB"), tmp_path / "colour.png")
    segment_file("otsu", tmp_path / "colour.png", tmp_path / "out.png", {})
    assert open_labels(tmp_path / "out.png").array.sum() == 144


def test_a_leak_comes_back_as_a_line(tmp_path):
    array = np.zeros((3, 12, 12), np.float32)
    array[:, :, 4:] = 50
    array[0, 0, 0] = 1
    save_image(Volume(array, Grid.of_spacing(array.shape, (1.0, 1.0, 1.0))), tmp_path / "a.nii.gz")
    done = segment_file("region-growing", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", {"seed": "8,5,1"})
    assert len(done.notes) == 1
    assert done.notes[0].startswith("region-growing:")


def test_nothing_found_is_told(tmp_path):
    write_ball(tmp_path / "ball.nii.gz")
    done = segment_file("threshold", tmp_path / "ball.nii.gz", tmp_path / "b.nii.gz", {"low": "1000"})
    assert "no voxel" in done.notes[0]


def test_a_mask_file_limits_the_classes(tmp_path):
    truth = write_ball(tmp_path / "ball.nii.gz")
    save_image(Volume(truth.astype(np.uint8), Grid.of_spacing(truth.shape, (2.0, 1.0, 1.0))), tmp_path / "m.nii.gz")
    done = segment_file(
        "kmeans", tmp_path / "ball.nii.gz", tmp_path / "b.nii.gz", {"classes": "2", "mask": str(tmp_path / "m.nii.gz")}
    )
    np.testing.assert_array_equal(done.labels.array > 0, truth)


@pytest.mark.parametrize(
    ("method", "options", "word"),
    [
        ("guess", {}, "threshold otsu"),
        ("otsu", {"sigma": "2"}, "--sigma"),
        ("region-growing", {"seed": "99,1,1"}, "--seed"),
        ("region-growing", {"seed": "a,b"}, "--seed"),
        ("threshold", {"low": "5", "high": "1"}, "low"),
        ("watershed", {"sigma_mm": "-1"}, "--sigma-mm"),
        ("multi-otsu", {"classes": "1"}, "classes"),
    ],
)
def test_wrong_options_are_named(method, options, word, tmp_path):
    write_ball(tmp_path / "ball.nii.gz")
    with pytest.raises(InputError, match=word):
        segment_file(method, tmp_path / "ball.nii.gz", tmp_path / "out.nii.gz", options)
    assert not (tmp_path / "out.nii.gz").exists()
