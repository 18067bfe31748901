import numpy as np

from isocenter.app.convert_files import convert_paths
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti


def test_what_cannot_be_read_is_listed_and_the_rest_is_written(tmp_path):
    volume = Volume(np.ones((2, 3, 4), np.int16), Grid.of_spacing((2, 3, 4), (3, 2, 1)))
    volume.array[0, 0, 0] = 5
    (tmp_path / "in").mkdir()
    write_nifti(volume, tmp_path / "in" / "a.nii.gz")
    (tmp_path / "in" / "b.nii").write_bytes(b"short")
    written, failures = convert_paths([tmp_path / "in"], tmp_path / "out", "nifti")
    assert {path.suffix for path in written} >= {".gz"}
    assert [failure.path.name for failure in failures] == ["b.nii"]
