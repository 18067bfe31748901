import json

from isocenter.io.raster import write_png


def test_nothing_readable_is_exit_3_and_writes_nothing(isocenter, tmp_path):
    (tmp_path / "x.dcm").write_bytes(b"no image")
    code, _, err = isocenter("read", tmp_path / "x.dcm", "--out", tmp_path / "out")
    assert code == 3 and "x.dcm" in err and not (tmp_path / "out").exists()


def test_a_picture_without_a_task_is_an_answer_and_exit_0(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    code, out, _ = isocenter("read", tmp_path / "a.png", "--out", tmp_path / "out", "--json")
    (row,) = json.loads(out)
    assert code == 0 and row["abstained"] == "no-task"


def test_some_broken_is_exit_4(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "in.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, out, err = isocenter("read", tmp_path / "in.png", tmp_path / "bad.png", "--out", tmp_path / "out")
    assert code == 4 and "no-task" in out and "bad.png" in err


def test_an_unknown_task_is_exit_2(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    assert isocenter("read", tmp_path / "a.png", "--out", tmp_path / "out", "--task", "toe-mr")[0] == 2
