import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.npz import read_npz


def test_named_arrays_come_back_and_others_are_left_alone(tmp_path):
    path = tmp_path / "a.npz"
    one = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(path, one=one, two=np.complex64(3 + 1j), other=np.zeros(3))
    found = read_npz(path, ("one", "two", "absent"))
    assert sorted(found) == ["one", "two"]
    assert np.array_equal(found["one"], one) and found["two"] == 3 + 1j and found["two"].shape == ()


def test_objects_are_refused_and_never_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, one=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FormatError, match="expected numbers"):
        read_npz(path, ("one",))


@pytest.mark.parametrize("data", [b"not a zip at all", b"PK\x03\x04 broken"])
def test_other_files_are_refused_in_one_line(tmp_path, data):
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        read_npz(path, ("one",))
    assert "\n" not in str(caught.value)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, one=np.zeros(1000))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FormatError):
        read_npz(path, ("one",))
