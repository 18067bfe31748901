import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import read_nifti, write_nifti


def test_a_volume_is_converted_and_reads_back(isocenter, tmp_path):
    volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Grid.of_spacing((2, 3, 4), (3, 2, 1)))
    write_nifti(volume, tmp_path / "a.nii.gz")
    code, out, _ = isocenter("convert", tmp_path / "a.nii.gz", "--out", tmp_path / "out")
    assert code == 0
    (made,) = (tmp_path / "out").glob("*.nii.gz")
    assert str(made) in out
    np.testing.assert_array_equal(read_nifti(made).array, volume.array)


def test_nothing_to_convert_is_exit_3(isocenter, tmp_path):
    (tmp_path / "x.nii").write_bytes(b"")
    assert isocenter("convert", tmp_path / "x.nii", "--out", tmp_path / "out")[0] == 3
