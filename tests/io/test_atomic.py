"""A file is whole or not there."""

import os
import stat

import pytest

from isocenter.io.atomic import atomic_write, sync_folder


def test_a_file_is_written_and_replaced(tmp_path):
    atomic_write(tmp_path / "a", b"one")
    atomic_write(tmp_path / "a", bytearray(b"two"))
    assert (tmp_path / "a").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        atomic_write(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    atomic_write(tmp_path / "a", b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="space"):
        atomic_write(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_is_synced_after_the_rename(tmp_path, monkeypatch):
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda *a: (calls.append("rename"), replace(*a))[1])
    atomic_write(tmp_path / "a", b"x")
    assert calls == ["fsync", "rename", "fsync"]
    sync_folder(tmp_path)
    assert len(calls) == 4


def test_a_place_that_takes_no_file_is_named_as_the_caller_named_it(tmp_path):
    with pytest.raises(OSError, match="No such file") as caught:
        atomic_write(tmp_path / "absent" / "a", b"")
    assert caught.value.filename == str(tmp_path / "absent" / "a")
