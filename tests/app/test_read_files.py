import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import isocenter
from isocenter.app.context import ContextTable
from isocenter.app.read_files import ReadOptions, read_paths
from isocenter.io.raster import write_png
from isocenter.reporting.report_json import require_schema

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def picture(tmp_path, blobs) -> Path:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    write_png(blobs, path)
    return path


def options(case, **changes) -> ReadOptions:
    return ReadOptions(case.models, NOW, **changes)


def test_a_picture_becomes_a_folder_with_everything_in_it(picture, tmp_path, case_seeing):
    outcome = read_paths([picture], tmp_path / "out", options(case_seeing("BreastUS")))
    (report,) = outcome.reports
    folder = Path(report.folder)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"report.json", "report.html", "report.pdf", "sr.dcm", "sc.dcm", "provenance.json"} <= names
    assert "figures/F1-heat-map.png" in names
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    require_schema(data)
    assert data["findings"][0]["evidence"][0]["file"] == "figures/F1-heat-map.png"
    assert data["findings"][0]["evidence"][0]["series_uid"].startswith("2.25.")
    assert data["provenance"]["inputs"][0]["file"] == "a.png"


def test_the_same_input_gives_identical_bytes(picture, tmp_path, case_seeing):
    folders = []
    for name in ("one", "two"):
        outcome = read_paths([picture], tmp_path / name, options(case_seeing("BreastUS")))
        folders.append(Path(outcome.reports[0].folder))
    files = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert len(files) >= 7
    for name in files:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_second_run_replaces_the_folder(picture, tmp_path, case_seeing):
    for language in ("en", "zh"):
        read_paths([picture], tmp_path / "out", options(case_seeing("BreastUS"), language=language))
    (folder,) = (tmp_path / "out").iterdir()
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["language"] == "zh"


def test_broken_files_are_listed_and_the_rest_is_read(picture, tmp_path, case_seeing):
    (picture.parent / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    (picture.parent / "c.dcm").write_bytes(b"")
    outcome = read_paths([picture.parent], tmp_path / "out", options(case_seeing("BreastUS")))
    assert len(outcome.reports) == 1
    assert sorted(failure.path.name for failure in outcome.failures) == ["b.png", "c.dcm"]
    assert all("\n" not in failure.problem for failure in outcome.failures)


def test_nothing_readable_writes_nothing(tmp_path, case_seeing):
    (tmp_path / "x.png").write_bytes(b"no picture")
    outcome = read_paths([tmp_path / "x.png"], tmp_path / "out", options(case_seeing("BreastUS")))
    assert outcome.reports == [] and len(outcome.failures) == 1
    assert not (tmp_path / "out").exists()


def test_equal_files_share_one_folder_and_are_both_listed(picture, tmp_path, case_seeing):
    (picture.parent / "same.png").write_bytes(picture.read_bytes())
    outcome = read_paths([picture.parent], tmp_path / "out", options(case_seeing("BreastUS")))
    (report,) = outcome.reports
    data = json.loads((Path(report.folder) / "report.json").read_text(encoding="utf-8"))
    assert sorted(entry["file"] for entry in data["provenance"]["inputs"]) == ["a.png", "same.png"]


def test_the_context_reaches_the_task(picture, tmp_path, case_seeing):
    table = ContextTable(rows=({"file": "a.png", "pixel_size_mm": "nonsense"},))
    outcome = read_paths([picture], None, options(case_seeing("BreastUS"), context=table))
    assert outcome.reports == [] and "pixel_size_mm" in outcome.failures[0].problem


def test_the_public_door_raises_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match=r"nothing\.png"):
        isocenter.read(tmp_path / "nothing.png")


def test_load_gives_the_voxels(picture, blobs):
    np.testing.assert_array_equal(isocenter.load(picture).array[0], blobs)


def test_an_unwritable_folder_is_a_line_per_study(picture, tmp_path, case_seeing):
    (tmp_path / "file").write_bytes(b"")
    outcome = read_paths([picture], tmp_path / "file" / "out", options(case_seeing("BreastUS")))
    assert outcome.reports == [] and "writable" in outcome.failures[0].problem


def test_a_surprise_in_one_study_costs_only_that_study(picture, tmp_path, blobs, case_seeing, monkeypatch):
    from isocenter.app import read_files

    write_png(blobs[::-1].copy(), picture.parent / "b.png")
    original = read_files.read_one

    def surprise(study, *rest):
        if study.volumes[0].source.paths[0].name == "a.png":
            raise RuntimeError("Wang Xiaoming")
        return original(study, *rest)

    monkeypatch.setattr(read_files, "read_one", surprise)
    outcome = read_paths([picture.parent], None, options(case_seeing("BreastUS")))
    assert len(outcome.reports) == 1
    assert "internal error (RuntimeError at" in outcome.failures[0].problem
    assert "Wang" not in outcome.failures[0].problem


def test_what_the_caller_states_of_age_and_sex_stands_in_the_report(picture, case_seeing):
    table = ContextTable(shared={"age": 30, "sex": "f"})
    (report,) = read_paths([picture], None, options(case_seeing("BreastUS"), context=table)).reports
    assert (report.study.sex, report.study.age_years) == ("F", 30)
