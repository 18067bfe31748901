from pathlib import Path

import pytest

from isocenter.app.context import load_context
from isocenter.core.errors import InputError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_facts_hold_for_every_input(tmp_path):
    table = load_context(write(tmp_path, "c.json", '{"age": 61, "smoker": true}'))
    assert table.facts_for(Path("a.png")) == {"age": 61, "smoker": True}


def test_csv_rows_match_by_path_then_by_base_name(tmp_path):
    table = load_context(write(tmp_path, "c.csv", "file,pixel_size_mm\nx/a.png,0.1\ny/a.png,0.2\nb.png,0.3\nd.png,\n"))
    assert table.facts_for(Path("y/a.png")) == {"pixel_size_mm": "0.2"}
    assert table.facts_for(Path("anywhere/b.png")) == {"pixel_size_mm": "0.3"}
    assert table.facts_for(Path("d.png")) == table.facts_for(Path("unknown.png")) == {}


def test_an_ambiguous_base_name_is_an_error(tmp_path):
    table = load_context(write(tmp_path, "c.csv", "file,age\nx/a.png,1\ny/a.png,2\n"))
    with pytest.raises(InputError, match=r"one row for a\.png, got 2"):
        table.facts_for(Path("z/a.png"))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c.json", "[1]", "one JSON object"),
        ("c.json", "{", "line 1"),
        ("c.csv", "path,age\na,1\n", "`file` column"),
        ("c.csv", "file,age\na,1,2\n", "header's columns"),
    ],
)
def test_a_bad_context_is_one_clear_line(tmp_path, name, text, problem):
    with pytest.raises(InputError, match=problem):
        load_context(write(tmp_path, name, text))


def test_no_context_is_no_facts_and_a_missing_file_is_said():
    assert load_context(None).facts_for(Path("a")) == {}
    with pytest.raises(InputError, match="readable"):
        load_context(Path("/nonexistent/context.json"))
