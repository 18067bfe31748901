import csv
import json

import numpy as np

from isocenter.io.raster import write_png


def test_a_folder_gives_a_table(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    code, out, _ = isocenter("quality", tmp_path, "--out", tmp_path / "q.csv")
    assert code == 0 and "1 row(s)" in out
    with (tmp_path / "q.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["passed"] == "yes" and row["file"].endswith("a.png") and {"snr", "cnr", "sharpness"} <= set(row)


def test_a_table_needs_a_folder(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    code, _, err = isocenter("quality", tmp_path / "a.png", "--out", tmp_path / "none" / "q.csv")
    assert code == 2 and "create it" in err


def test_failures_are_exit_4_and_nothing_read_exit_3(isocenter, tmp_path, blobs):
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    code, _, err = isocenter("quality", tmp_path / "x.png", "--out", tmp_path / "q.csv")
    assert code == 3 and "x.png" in err and not (tmp_path / "q.csv").exists()
    write_png(blobs, tmp_path / "a.png")
    assert isocenter("quality", tmp_path, "--out", tmp_path / "q.csv")[0] == 4


def test_the_gate_refuses_what_fails_a_check(isocenter, tmp_path, blobs):
    write_png(np.zeros((64, 64), np.uint8), tmp_path / "b.png")
    code, out, err = isocenter("quality", tmp_path / "b.png", "--out", tmp_path / "q.csv", "--gate", "--json")
    assert code == 5 and json.loads(out)[0]["passed"] == "no"
    assert "1 of 1 fail" in err and err.count("\n") == 1
    assert isocenter("quality", tmp_path / "b.png", "--out", tmp_path / "q.csv")[0] == 0
