import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from isocenter.app.context import ContextTable
from isocenter.app.predict_files import PredictOptions, mask_stem, predict_paths
from isocenter.core.errors import InputError
from isocenter.io.raster import write_png


@pytest.fixture
def pictures(tmp_path, blobs):
    folder = tmp_path / "in"
    for n, name in enumerate(("b.png", "a.png", "sub/c.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_png(np.roll(blobs, 7 * n, axis=1), folder / name)
    return folder


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_stand_in_input_order_with_the_contracts_columns(pictures, tmp_path, case_seeing):
    case = case_seeing("BreastUS")
    predict_paths([pictures], tmp_path / "t.csv", PredictOptions(case.models, "breast-us"))
    table = rows(tmp_path / "t.csv")
    assert list(table[0]) == ["file", "p_benign", "p_malignant", "p_normal", "abstained"]
    assert [row["file"] for row in table] == [str(pictures / name) for name in ("a.png", "b.png", "sub/c.png")]
    for row in table:
        assert sum(float(row[f"p_{name}"]) for name in ("benign", "malignant", "normal")) == pytest.approx(1, abs=1e-5)


def test_workers_change_nothing_but_the_time(pictures, tmp_path, case_seeing):
    for workers in (1, 3):
        options = PredictOptions(case_seeing("BreastUS").models, "breast-us", workers=workers)
        predict_paths([pictures], tmp_path / f"{workers}.csv", options)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "3.csv").read_bytes()


def test_an_abstention_is_a_row_with_its_reason_and_no_number(pictures, tmp_path, case_seeing):
    done, failures = predict_paths(
        [pictures], tmp_path / "t.csv", PredictOptions(case_seeing("foreign").models, "intake")
    )
    assert len(done) == 3 and failures == []
    for row in rows(tmp_path / "t.csv"):
        assert row["abstained"] == "out-of-distribution" and row["p_Hand"] == ""


def test_an_unreadable_file_keeps_its_row(pictures, tmp_path, case_seeing):
    (pictures / "aa.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    _, failures = predict_paths(
        [pictures], tmp_path / "t.csv", PredictOptions(case_seeing("BreastUS").models, "breast-us")
    )
    table = rows(tmp_path / "t.csv")
    assert len(failures) == 1 and len(table) == 4
    assert {row["file"]: row["abstained"] for row in table}[str(pictures / "aa.png")] == "unreadable"


def test_equal_files_each_have_their_row(pictures, tmp_path, case_seeing):
    (pictures / "z.png").write_bytes((pictures / "a.png").read_bytes())
    predict_paths([pictures], tmp_path / "t.csv", PredictOptions(case_seeing("BreastUS").models, "breast-us"))
    table = {row["file"]: row for row in rows(tmp_path / "t.csv")}
    assert len(table) == 4
    assert table[str(pictures / "z.png")]["p_benign"] == table[str(pictures / "a.png")]["p_benign"]


def test_boxes_have_the_contracts_columns(pictures, tmp_path, case_seeing):
    options = PredictOptions(case_seeing("BreastUS").models, "breast-us", boxes=tmp_path / "boxes.csv")
    predict_paths([pictures], tmp_path / "t.csv", options)
    boxes = rows(tmp_path / "boxes.csv")
    assert list(boxes[0]) == ["file", "label", "xmin", "ymin", "xmax", "ymax", "score"]
    assert {row["label"] for row in boxes} == {"malignant"} and len(boxes) == 3


def test_a_context_row_reaches_its_file_alone(pictures, tmp_path, case_seeing):
    table = ContextTable(rows=({"file": "c.png", "pixel_size_mm": "nonsense"},))
    options = PredictOptions(case_seeing("BreastUS").models, "breast-us", table)
    done, failures = predict_paths([pictures], tmp_path / "t.csv", options)
    assert len(done) == 2 and [failure.path.name for failure in failures] == ["c.png"]


def test_a_formula_as_file_name_is_defused(tmp_path, blobs, case_seeing, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("=cmd.png", blobs)

    predict_paths([Path("=cmd.png")], Path("t.csv"), PredictOptions(case_seeing("BreastUS").models, "breast-us"))
    assert rows(Path("t.csv"))[0]["file"] == "'=cmd.png"


def test_masks_of_one_name_are_refused_before_anything_is_read(pictures, tmp_path, blobs, case_seeing):
    write_png(blobs, pictures / "sub" / "a.png")
    options = PredictOptions(case_seeing("FetalUS").models, "breast-us", masks=tmp_path / "masks")
    with pytest.raises(InputError, match="several"):
        predict_paths([pictures], tmp_path / "t.csv", options)
    assert not (tmp_path / "t.csv").exists()


def test_a_mask_is_named_by_its_input(tmp_path):
    (tmp_path / "pat.1").mkdir()
    assert mask_stem(tmp_path / "pat.1") == "pat.1"
    assert mask_stem(Path("a/002_HC.png")) == "002_HC" and mask_stem(Path("brain.nii.gz")) == "brain"
