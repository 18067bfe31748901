import pytest

from isocenter.app.study_folder import write_folder


def test_a_folder_holds_exactly_what_was_given(tmp_path):
    write_folder(tmp_path / "s", {"a.json": b"1", "figures/x.png": b"2"})
    files = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"s/a.json": b"1", "s/figures/x.png": b"2"}


def test_a_second_write_replaces_the_whole_folder(tmp_path):
    write_folder(tmp_path / "s", {"old.json": b"1"})
    write_folder(tmp_path / "s", {"new.json": b"2"})
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["new.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_a_failed_write_leaves_the_old_folder_and_nothing_else(tmp_path):
    write_folder(tmp_path / "s", {"old.json": b"1"})
    with pytest.raises(TypeError):
        write_folder(tmp_path / "s", {"new.json": b"2", "bad.json": "not bytes"})
    assert (tmp_path / "s/old.json").read_bytes() == b"1"
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
