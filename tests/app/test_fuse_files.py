import csv
import json

import numpy as np
import pytest

from isocenter.app.fuse_files import cover_warnings, draw_fusion, fuse_files
from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.nifti import read_nifti, write_nifti
from isocenter.io.raster import write_png

CT_GRID = Grid.of_spacing((20, 48, 40), (3.0, 2.0, 2.0), (-40.0, -48.0, -30.0))
PET_GRID = Grid.of_spacing((15, 24, 20), (4.0, 4.0, 4.0), (-40.0, -48.0, -30.0))


def blob(grid, centre=(6.0, -10.0, 2.0), size=9.0):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    return np.exp(-((grid.to_world_mm(index) - centre) ** 2).sum(-1) / size**2).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    write_nifti(Volume(blob(CT_GRID) * 300 - 100, CT_GRID), tmp_path / "ct.nii.gz")
    write_nifti(Volume(blob(PET_GRID) * 8, PET_GRID), tmp_path / "pet.nii.gz")
    write_nifti(Volume((blob(CT_GRID) > 0.5).astype(np.uint8), CT_GRID), tmp_path / "mask.nii.gz")
    return tmp_path


def test_a_hot_spot_stays_where_it_is(files):
    metrics = fuse_files(files / "ct.nii.gz", files / "pet.nii.gz", files / "out", labels_path=files / "mask.nii.gz")
    moved = read_nifti(files / "out" / "moved.nii.gz")
    assert moved.grid.shape == CT_GRID.shape
    weights = moved.array / moved.array.sum()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in CT_GRID.shape], indexing="ij"), axis=-1)
    centre = (CT_GRID.to_world_mm(index) * weights[..., None]).sum((0, 1, 2))
    assert np.linalg.norm(centre - (6.0, -10.0, 2.0)) < 0.4
    assert metrics["correlation"] > 0.9
    assert metrics["covered_share"] > 0.9
    rows = list(csv.DictReader((files / "out" / "features.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == ["1"]
    assert int(rows[0]["n_voxels"]) == int((blob(CT_GRID) > 0.5).sum())
    assert json.loads((files / "out" / "metrics.json").read_text()) == metrics
    names = {path.name for path in (files / "out").iterdir()}
    pictures = {"overlay.png", "red_cyan.png", "blend.png", "checkerboard.png"}
    assert names == pictures | {
        "moved.nii.gz",
        "fused_pca.nii.gz",
        "fused_wavelet.nii.gz",
        "features.csv",
        "metrics.json",
    }


def test_pictures_go_through_the_brightest_place():
    first, second = Volume(blob(CT_GRID) * 300, CT_GRID), Volume(blob(CT_GRID), CT_GRID)
    overlay = draw_fusion(first, second)["overlay"]
    assert overlay.dtype == np.uint8
    assert (overlay[..., 0] > overlay[..., 2] + 60).any()


def test_other_frames_of_reference_are_told():
    from isocenter.app.fuse_files import frame_warnings

    one, other = (
        Volume(blob(CT_GRID), CT_GRID, source=Source(frame_of_reference_uid=uid)) for uid in ("1.2.3", "1.2.4")
    )
    assert "frames of reference" in frame_warnings(one, other)[0]
    assert frame_warnings(one, one) == []


def test_images_that_hardly_touch_are_told():
    assert cover_warnings(0.02) == []
    assert "0.01%" in cover_warnings(1e-4)[0]


def test_images_that_share_no_place_write_nothing(files):
    away = Grid.of_spacing((15, 24, 20), (4.0, 4.0, 4.0), (4000.0, 0.0, 0.0))
    write_nifti(Volume(blob(PET_GRID), away), files / "away.nii.gz")
    with pytest.raises(GeometryError, match="share none"):
        fuse_files(files / "ct.nii.gz", files / "away.nii.gz", files / "none")
    assert not (files / "none").exists()


def test_an_empty_mask_and_colour_are_refused_before_anything_is_written(files):
    write_nifti(Volume(np.zeros(CT_GRID.shape, np.uint8), CT_GRID), files / "empty.nii.gz")
    with pytest.raises(InputError, match="found none"):
        fuse_files(files / "ct.nii.gz", files / "pet.nii.gz", files / "out", labels_path=files / "empty.nii.gz")
    write_png(np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8), files / "c.png")
    with pytest.raises(InputError, match="enhance grey"):
        fuse_files(files / "c.png", files / "c.png", files / "out")
    assert not (files / "out").exists()
