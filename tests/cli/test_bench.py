def test_a_folder_without_benchmarks_is_exit_2(isocenter, tmp_path):
    code, _, err = isocenter("bench", "--folder", tmp_path)
    assert code == 2 and "--folder" in err
