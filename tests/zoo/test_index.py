"""The newest package that verifies speaks; what is altered, renamed or older never takes its place."""

import pytest

from isocenter.core.errors import PackageError
from isocenter.zoo.index import add_model, find_model, list_models, load_newest, model_files, remove_model


@pytest.fixture
def shelf(tmp_path, bench):
    """A folder of built-in packages: tiny 1.2.0 and 1.10.0."""
    folder = tmp_path / "weights"
    bench.save(folder, version="1.2.0")
    bench.save(folder, version="1.10.0")
    return folder


def test_versions_are_numbers_not_text(shelf, home):
    assert [file.version for file in model_files(home, built_in=shelf)] == ["1.10.0", "1.2.0"]
    assert find_model("tiny", home, built_in=shelf).name == "tiny-1.10.0.isocenter"


def test_an_altered_package_is_passed_over_and_named(shelf, home):
    newest = shelf / "tiny-1.10.0.isocenter"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    package, problems = load_newest("tiny", home, built_in=shelf)
    assert package.card.version == "1.2.0"
    assert len(problems) == 1 and "tiny-1.10.0" in problems[0]
    assert [entry.package is None for entry in list_models(home, built_in=shelf)] == [True, False]
    assert find_model("tiny", home, built_in=shelf).name == "tiny-1.2.0.isocenter"


def test_an_old_package_under_a_new_name_is_refused(shelf, home):
    (shelf / "tiny-1.2.0.isocenter").rename(shelf / "tiny-9.0.0.isocenter")
    package, problems = load_newest("tiny", home, built_in=shelf)
    assert package.card.version == "1.10.0" and "renamed" in problems[0]


def test_nobody_trusted_nothing_loaded(shelf):
    with pytest.raises(PackageError, match="trusted"):
        load_newest("tiny", None, built_in=shelf)
    with pytest.raises(PackageError, match="verifies"):
        find_model("tiny", None, built_in=shelf)


def test_an_unknown_name_says_where_to_look(shelf, home):
    with pytest.raises(PackageError, match="models list"):
        load_newest("other", home, built_in=shelf)


def test_added_models_speak_when_they_are_newer_and_can_be_removed(tmp_path, shelf, home, bench):
    new = tmp_path / "download.isocenter"
    new.write_bytes(bench.bytes(version="2.0.0", seed=4))
    assert add_model(home, new, built_in=shelf).card.version == "2.0.0"
    assert find_model("tiny", home, built_in=shelf) == home / "models" / "tiny-2.0.0.isocenter"
    add_model(home, new, built_in=shelf)
    assert [path.name for path in remove_model(home, "tiny")] == ["tiny-2.0.0.isocenter"]
    assert find_model("tiny", home, built_in=shelf).parent == shelf
    with pytest.raises(PackageError, match="built-in"):
        remove_model(home, "tiny")


@pytest.mark.parametrize("version, reason", [("1.9.9", "after 1.10.0"), ("1.10.0", "other content")])
def test_older_and_double_versions_are_not_taken(tmp_path, shelf, home, bench, version, reason):
    file = tmp_path / "d.isocenter"
    file.write_bytes(bench.bytes(version=version, seed=5))
    with pytest.raises(PackageError, match=reason):
        add_model(home, file, built_in=shelf)
    assert not (home / "models").exists()


def test_a_package_of_a_stranger_is_not_taken(tmp_path, bench):
    file = tmp_path / "d.isocenter"
    file.write_bytes(bench.bytes())
    with pytest.raises(PackageError, match="trusted"):
        add_model(tmp_path / "empty-home", file)


def test_one_version_can_be_removed(tmp_path, home, bench):
    for version in ("3.0.0", "3.1.0"):
        bench.save(home / "models", version=version)
    assert [path.name for path in remove_model(home, "tiny", version="3.0.0")] == ["tiny-3.0.0.isocenter"]
    assert find_model("tiny", home).name == "tiny-3.1.0.isocenter"


def test_what_ships_verifies():
    """Every package in the repository, with the keys in the repository; all together stay under 15 MB."""
    entries = list_models()
    assert [entry.problem for entry in entries if entry.package is None] == []
    assert sum(entry.file.path.stat().st_size for entry in entries) <= 15e6
