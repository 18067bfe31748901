import csv
import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from isocenter.cli.features import features
from isocenter.core.errors import InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti


@pytest.fixture
def pair(tmp_path):
    grid = Grid.of_spacing((5, 12, 12), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, np.uint8)
    mask[1:4, 2:9, 3:10] = 1
    array = np.random.default_rng(0).integers(-200, 300, grid.shape).astype(np.int16)
    write_nifti(Volume(array, grid), tmp_path / "image.nii.gz")
    write_nifti(Volume(mask, grid), tmp_path / "mask.nii.gz")
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


def run(*arguments: object):
    app = typer.Typer()
    app.command()(features)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_table_of_all_features_is_written(pair, tmp_path):
    done = run(*pair, "--config", "ibsi-c", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = {row["tag"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 215
    assert rows["cm_contrast_3D_comb"]["ibsi_id"] == "ACUI"
    assert rows["ivh_auc"]["value"] == ""
    assert done.stderr == ""


def test_what_has_no_value_is_told_on_standard_error(pair, tmp_path):
    grid = Grid.of_spacing((5, 12, 12), (2.0, 1.0, 1.0))
    write_nifti(Volume(np.full(grid.shape, 40, np.int16), grid), tmp_path / "flat.nii.gz")
    done = run(tmp_path / "flat.nii.gz", pair[1], "--config", "ibsi-c", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0
    assert "have no value for this region: morph_moran_i, morph_geary_c, stat_skew" in done.stderr


def test_json_prints_the_same_rows(pair, tmp_path):
    done = run(*pair, "--config", "classic", "--out", tmp_path / "out.csv", "--json")
    printed = {row["tag"]: row["value"] for row in json.loads(done.stdout)}
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = {row["tag"]: float(row["value"]) for row in csv.DictReader(stream)}
    assert done.exit_code == 0
    assert printed == written


def test_mistakes_are_one_line_and_leave_nothing_behind(pair, tmp_path):
    image, mask = pair
    (tmp_path / "bad.toml").write_text('texture = {method = "otsu"}')
    for config in ("ibsi-z", tmp_path / "bad.toml"):
        done = run(image, mask, "--config", config, "--out", tmp_path / "out.csv")
        assert isinstance(done.exception, InputError)
        assert "\n" not in str(done.exception)
    done = run(tmp_path / "none.nii", mask, "--config", "classic", "--out", tmp_path / "out.csv")
    assert isinstance(done.exception, UnreadableError)
    assert not (tmp_path / "out.csv").exists()
