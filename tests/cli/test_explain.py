import json

import pytest

from isocenter.io.raster import write_png


@pytest.mark.parametrize("method", ["cam", "occlusion"])
def test_a_map_and_its_scores_are_written(isocenter, tmp_path, blobs, method):
    write_png(blobs, tmp_path / "a.png")
    code, out, _ = isocenter("explain", "breast-us", tmp_path / "a.png", "--out", tmp_path / "maps", "--method", method)
    (row,) = json.loads(out)
    assert code == 0 and (tmp_path / "maps/a.png").exists() and (tmp_path / "maps/a.json").exists()
    assert 0 <= row["deletion_auc"] <= 1 and 0 <= row["insertion_auc"] <= 1


def test_a_task_without_maps_is_exit_2(isocenter, tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    assert isocenter("explain", "chest-ct", tmp_path / "a.png", "--out", tmp_path / "maps")[0] == 2
