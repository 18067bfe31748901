def test_a_folder_that_is_no_finished_run_is_refused(isocenter, tmp_path):
    code, _, err = isocenter("package", tmp_path, "--out", tmp_path / "m.isocenter")
    assert code == 2 and "finished run" in err
    assert not (tmp_path / "m.isocenter").exists()
