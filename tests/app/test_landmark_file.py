import numpy as np
import pytest

from isocenter.app.landmark_file import read_landmarks
from isocenter.core.errors import InputError, UnreadableError
from isocenter.core.grid import Grid

GRID = Grid.of_spacing((4, 10, 10), (3.0, 2.0, 1.0), (5.0, 6.0, 7.0))


def written(tmp_path, text: str):
    path = tmp_path / "marks.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_millimetres_and_voxels_name_the_same_place(tmp_path):
    in_mm = written(tmp_path, "measure,point,x,y,z\ndistance,a,5,6,7\ndistance,b,9,6,13\n")
    (by_mm,) = read_landmarks(in_mm, GRID)
    in_voxels = written(tmp_path, "measure,point,i,j,k\ndistance,a,0,0,0\ndistance,b,4,0,2\n")
    (by_voxel,) = read_landmarks(in_voxels, GRID)
    assert (by_mm.measure, by_mm.label) == ("distance", "")
    for name in ("a", "b"):
        np.testing.assert_allclose(by_mm.points[name], by_voxel.points[name])


def test_labels_tell_measurements_of_a_kind_apart(tmp_path):
    text = (
        "label,measure,point,x,y,z\nT1,distance,a,0,0,0\nT1,distance,b,1,0,0\nT2,distance,a,0,0,0\nT2,angle,a,0,0,0\n"
    )
    found = read_landmarks(written(tmp_path, text), GRID)
    assert [(each.label, each.measure, sorted(each.points)) for each in found] == [
        ("T1", "distance", ["a", "b"]), ("T2", "distance", ["a"]), ("T2", "angle", ["a"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "columns"),
        ("measure,point,x,y\ndistance,a,0,0\n", "columns"),
        ("measure,point,x,y,z\ndistance,a,0,zero,0\n", "line 2: expected three numbers"),
        ("measure,point,x,y,z\ndistance,a,0,nan,0\n", "three numbers"),
        ("measure,point,x,y,z\ndistance,a,0,0\n", "three numbers"),
        ("measure,point,x,y,z\ndistance,a,0,0,0\ndistance,a,1,0,0\n", "a again"),
    ],
)
def test_what_is_no_table_of_places_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        read_landmarks(written(tmp_path, text), GRID)


def test_a_missing_or_binary_file_cannot_be_read(tmp_path):
    with pytest.raises(UnreadableError):
        read_landmarks(tmp_path / "none.csv", GRID)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81" * 20)
    with pytest.raises(UnreadableError):
        read_landmarks(tmp_path / "binary.csv", GRID)
