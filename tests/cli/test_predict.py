from isocenter.io.raster import write_png


def test_the_table_has_a_row_per_picture(isocenter, tmp_path, blobs):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        write_png(blobs if name == "a.png" else blobs[::-1].copy(), tmp_path / "in" / name)
    code, out, _ = isocenter("predict", "intake", tmp_path / "in", "--out", tmp_path / "t.csv")
    assert code == 0 and out.startswith("2 row(s)")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").count("\n") == 3
