from pathlib import Path

import pytest

from isocenter.app.context import load_context
from isocenter.core.errors import InputError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def assigned(folder: Path, text: str, *labels: str):
    return load_context(write(folder, "c.csv", text)).assign(map(Path, labels))


def test_json_facts_hold_for_every_input(tmp_path):
    table = load_context(write(tmp_path, "c.json", '{"age": 61, "smoker": true}')).assign([Path("a.png")])
    assert table.facts_for([Path("a.png")]) == {"age": 61, "smoker": True}


def test_rows_match_by_path_then_by_base_name(tmp_path):
    rows = "file,pixel_size_mm\nx/a.png,0.1\ny/a.png,0.2\nb.png,0.3\nd.png,\n"
    context = assigned(tmp_path, rows, "data/x/a.png", "data/y/a.png", "any/b.png", "d.png", "unknown.png")
    assert context.facts_for([Path("data/y/a.png")]) == {"pixel_size_mm": "0.2"}
    assert context.facts_for([Path("any/b.png")]) == {"pixel_size_mm": "0.3"}
    assert context.facts_for([Path("d.png")]) == context.facts_for([Path("unknown.png")]) == {}


def test_a_row_for_one_patient_never_reaches_a_namesake(tmp_path):
    context = assigned(tmp_path, "file,pixel_size_mm\ntwo/a/img.png,0.07\n", "two/a/img.png", "two/b/img.png")
    assert context.facts_for([Path("two/a/img.png")]) == {"pixel_size_mm": "0.07"}
    assert context.facts_for([Path("two/b/img.png")]) == {}


def test_a_row_may_name_the_folder_of_a_series(tmp_path):
    context = assigned(tmp_path, "file,age\nct1,61\n", "in/ct1/0001.dcm", "in/ct1/0002.dcm", "in/ct2/0001.dcm")
    assert context.facts_for([Path("in/ct1/0002.dcm")]) == {"age": "61"}
    assert context.facts_for([Path("in/ct2/0001.dcm")]) == {}


@pytest.mark.parametrize(
    ("rows", "labels"),
    [("file,age\nimg.png,1\n", ("a/img.png", "b/img.png")), ("file,age\na/img.png,1\nimg.png,2\n", ("a/img.png",))],
    ids=["one row, two inputs", "two rows, one input"],
)
def test_an_ambiguous_row_is_an_error(tmp_path, rows, labels):
    with pytest.raises(InputError, match=r"img\.png"):
        assigned(tmp_path, rows, *labels)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c.json", "[1]", "one JSON object"),
        ("c.json", "{", "line 1"),
        ("c.csv", "Wang Xiaoming,1960\na,1\n", "`file` column"),
        ("c.csv", "file,age\na,1,2\n", "header's columns"),
    ],
)
def test_a_bad_context_is_one_clear_line_that_repeats_nothing(tmp_path, name, text, problem):
    with pytest.raises(InputError, match=problem) as error:
        load_context(write(tmp_path, name, text))
    assert "Wang" not in str(error.value)


def test_no_context_is_no_facts_and_a_missing_file_is_said():
    assert load_context(None).assign([Path("a")]).facts_for([Path("a")]) == {}
    with pytest.raises(InputError, match="readable"):
        load_context(Path("/nonexistent/context.json"))
