import csv
import json

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti


@pytest.fixture
def pair(tmp_path):
    grid = Grid.of_spacing((9, 20, 20), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, np.uint8)
    mask[3:6, 5:15, 5:15] = 1
    write_nifti(Volume((mask * 50).astype(np.int16), grid), tmp_path / "image.nii.gz")
    write_nifti(Volume(mask, grid), tmp_path / "mask.nii.gz")
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


def test_the_table_is_written_and_counted(isocenter, pair, tmp_path):
    code, out, _ = isocenter("measure", *pair, "--out", tmp_path / "out.csv", "--unit", "HU", "--with", "abc2")
    assert code == 0 and "row(s)" in out
    with (tmp_path / "out.csv").open(newline="") as stream:
        names = {row["name"] for row in csv.DictReader(stream)}
    assert {"long_axis", "short_axis", "volume", "hu_mean", "abc2_volume"} <= names


def test_json_prints_the_same_rows(isocenter, pair, tmp_path):
    code, out, _ = isocenter("measure", *pair, "--out", tmp_path / "out.csv", "--json")
    rows = json.loads(out)
    assert code == 0
    assert next(row for row in rows if row["name"] == "volume")["value"] == pytest.approx(0.6)


def test_bad_input_is_one_line_and_exit_2_or_3(isocenter, pair, tmp_path):
    write_nifti(
        Volume(np.zeros((9, 20, 20), np.uint8), Grid.of_spacing((9, 20, 20), (2.0, 1.0, 1.0))), tmp_path / "e.nii"
    )
    code, _, err = isocenter("measure", pair[0], tmp_path / "e.nii", "--out", tmp_path / "out.csv")
    assert code == 2 and err.count("\n") == 1 and "above 0" in err
    code, _, err = isocenter("measure", tmp_path / "none.nii", pair[1], "--out", tmp_path / "out.csv")
    assert code in (2, 3) and err.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()
    assert isocenter("measure", *pair)[0] == 2
    code, _, err = isocenter("measure", *pair, "--out", tmp_path / "none" / "out.csv")
    assert code == 2 and "create it" in err


@pytest.mark.data
def test_contours_are_measured_and_their_names_are_printed(isocenter, data_dir, tmp_path):
    folder = data_dir / "dicom_series" / "sts_STS_008_CT"
    code, out, error = isocenter("measure", folder, folder / "mask_RS.dcm", "--out", tmp_path / "out.csv")
    assert (code, error) == (0, "") and 'labels: 1 "GTV_Mass_CT"' in out
    assert isocenter("measure", folder, folder, "--roi", "gtv_mass_ct", "--out", tmp_path / "again.csv")[0] == 0
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "again.csv").read_text()
    code, _, error = isocenter("measure", folder, folder, "--roi", "liver", "--out", tmp_path / "no.csv")
    assert (
        code == 2
        and "expected one of the regions 1, got none" in error
        and "GTV" not in error
        and error.count("\n") == 1
    )
