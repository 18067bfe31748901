"""What the caller named becomes a list of readable files; nothing is entered twice, nothing stays behind."""

import os
import socket
import tempfile
import zipfile
from pathlib import Path

import pytest

from isocenter.io.inputs import Inputs, open_inputs

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
DICOM = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
DICOMDIR = bytes(128) + b"DICM" + b"\x02\x00\x02\x00UI\x16\x001.2.840.10008.1.3.10\x00"
NIFTI_PAIR = b"\x5c\x01\x00\x00".ljust(344, b"\0") + b"ni1\0"


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """Where temporary folders are made, so that a test can see that none stays."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def found(*paths: Path) -> Inputs:
    with open_inputs(paths) as inputs:
        assert all(file.path.is_file() for file in inputs.files)
        return inputs


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def labels(inputs: Inputs) -> list[str]:
    return [file.label.name for file in inputs.files]


def test_a_folder_is_walked_sorted_by_path(tmp_path):
    for name in ("b/x", "b/a", "a.d/z", "a/y", "c"):
        write((tmp_path / name).parent, **{Path(name).name: DICOM})
    inputs = found(tmp_path)
    assert [file.label for file in inputs.files] == sorted(file.label for file in inputs.files)
    assert len(inputs.files) == 5 and inputs.failures == []


def test_paths_come_in_the_order_given_and_once(tmp_path):
    folder = write(tmp_path / "a", one=DICOM, two__png=PNG)
    write(tmp_path, last__png=PNG)
    inputs = found(tmp_path / "last.png", folder, folder / "one", tmp_path / "last.png")
    assert labels(inputs) == ["last.png", "one", "two.png"]
    assert [file.kind for file in inputs.files] == ["raster", "dicom", "raster"]


def test_the_content_tells_the_kind_not_the_suffix(tmp_path):
    folder = write(tmp_path, a__png=DICOM, b__dcm=PNG, c__csv=PNG, d=DICOM)
    assert [file.kind for file in found(folder).files] == ["dicom", "raster", "raster", "dicom"]


def test_companions_of_a_folder_are_ignored_but_not_when_named(tmp_path):
    folder = write(
        tmp_path / "f", a__csv=b"x,y\n", b__json=b"{}", README=b"text", notes=b"plain text", c__md=b"# x", d__txt=b"",
        x__png=PNG, Thumbs__db=bytes(range(256)), autorun__inf=b"[x]", viewer__exe=b"MZ" + bytes(99),
    )  # fmt: skip
    (folder / ".DS_Store").write_bytes(bytes(range(256)))
    inputs = found(folder)
    assert labels(inputs) == ["x.png"] and inputs.failures == [] and len(inputs.ignored) == 9
    named = found(folder / "a.csv")
    assert len(named.failures) == 1 and "text file" in named.failures[0].problem


def test_what_claims_to_be_an_image_or_explains_itself_by_nothing_is_a_failure(tmp_path):
    folder = write(
        tmp_path, a__png=b"", b__dcm=b"text", c__jpg=bytes(range(256)), IM0001=bytes(range(256)), empty=b"", d__nii=b"x"
    )
    inputs = found(folder)
    assert not inputs.files
    assert [failure.path.name for failure in inputs.failures] == ["IM0001", "a.png", "b.dcm", "c.jpg", "d.nii", "empty"]
    for failure in inputs.failures:
        assert failure.problem.startswith("expected ") and ", got " in failure.problem and "; " in failure.problem
        assert "\n" not in failure.problem


def test_a_dicomdir_is_skipped_without_a_word_and_never_followed(tmp_path):
    folder = write(tmp_path, DICOMDIR=DICOMDIR, a=DICOM)
    inputs = found(folder)
    assert labels(inputs) == ["a"] and inputs.failures == []
    assert "folder" in found(folder / "DICOMDIR").failures[0].problem


def test_links_are_followed_once_and_loops_are_told(tmp_path):
    folder = write(tmp_path / "f", a=DICOM)
    (folder / "b").symlink_to(folder / "a")
    (folder / "loop").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)
    (folder / "broken").symlink_to(tmp_path / "absent")
    inputs = found(folder)
    assert labels(inputs) == ["a", "b"]
    assert sorted({failure.path.name for failure in inputs.failures}) == ["broken", "f", "loop"]
    assert not any("Errno" in failure.problem for failure in inputs.failures)


def test_pipes_sockets_and_devices_are_told_and_never_opened(tmp_path, monkeypatch):
    folder = write(tmp_path / "f", a=DICOM)
    os.mkfifo(folder / "pipe.dcm")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("plug")
        inputs = found(folder, Path("/dev/zero"))
    assert labels(inputs) == ["a"]
    assert [failure.path.name for failure in inputs.failures] == ["pipe.dcm", "plug", "zero"]


def test_unreadable_folders_and_files_are_told_and_the_rest_is_read(tmp_path, monkeypatch):
    folder = write(tmp_path / "f", a=DICOM, secret=DICOM)
    write(folder / "locked", b=DICOM)
    iterdir, opened = Path.iterdir, Path.open

    def deny_folder(path: Path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    def deny_file(path: Path, *args, **kwargs):
        if path.name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "iterdir", deny_folder)
    monkeypatch.setattr(Path, "open", deny_file)
    inputs = found(folder)
    assert labels(inputs) == ["a"]
    assert [failure.path.name for failure in inputs.failures] == ["locked", "secret"]
    assert all("permission denied" in failure.problem for failure in inputs.failures)


def test_nothing_there_and_nothing_inside_are_told(tmp_path):
    (tmp_path / "empty").mkdir()
    inputs = found(tmp_path / "absent", tmp_path / "empty")
    assert [failure.path.name for failure in inputs.failures] == ["absent", "empty"]
    assert "no such file" in inputs.failures[0].problem and "holds none" in inputs.failures[1].problem


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def test_archives_are_known_by_content_and_gone_afterwards(tmp_path, scratch):
    path = zipped(tmp_path / "a.dcm", b__dcm=DICOM, a=PNG, notes__txt=b"x")
    with open_inputs([path]) as inputs:
        assert [str(file.label.relative_to(tmp_path)) for file in inputs.files] == ["a.dcm/a", "a.dcm/b.dcm"]
        assert inputs.files[1].path.read_bytes() == DICOM
        assert inputs.files[1].path.is_relative_to(scratch)
        assert [label.name for label in inputs.ignored] == ["notes.txt"]
    assert not list(scratch.iterdir())


def test_the_temporary_folder_is_private_and_goes_whatever_happens(tmp_path, scratch):
    path = zipped(tmp_path / "a.zip", a=DICOM)
    with pytest.raises(KeyboardInterrupt), open_inputs([path]):
        assert [folder.stat().st_mode & 0o777 for folder in scratch.iterdir()] == [0o700]
        raise KeyboardInterrupt
    assert not list(scratch.iterdir())


def test_a_damaged_archive_is_one_line_and_leaves_nothing(tmp_path, scratch):
    path = zipped(tmp_path / "a.zip", a=DICOM)
    path.write_bytes(path.read_bytes()[:-10])
    with open_inputs([path, write(tmp_path / "f", a=DICOM)]) as inputs:
        assert labels(inputs) == ["a"] and len(inputs.failures) == 1
        assert not [place for place in scratch.rglob("*") if place.is_file()]


def test_an_archive_inside_an_archive_is_refused(tmp_path):
    inner = zipped(tmp_path / "inner.zip", a=DICOM).read_bytes()
    inputs = found(zipped(tmp_path / "outer.zip", inner__zip=inner, b=DICOM))
    assert labels(inputs) == ["b"]
    assert (
        "archive inside" in inputs.failures[0].problem and inputs.failures[0].path == tmp_path / "outer.zip/inner.zip"
    )


def test_office_documents_and_packages_are_no_archives_of_images(tmp_path):
    folder = write(tmp_path / "f", a=DICOM)
    zipped(folder / "table.xlsx", a=DICOM)
    zipped(folder / "model.isocenter", a=DICOM)
    assert labels(found(folder)) == ["a"]


def test_an_empty_archive_is_told(tmp_path):
    assert "holds none" in found(zipped(tmp_path / "a.zip", a__txt=b"x")).failures[0].problem


def test_pixels_beside_their_header_are_no_input_of_their_own(tmp_path):
    folder = write(
        tmp_path / "f", a__hdr=NIFTI_PAIR, a__img=bytes(99), b__mhd=b"NDims = 2\nDimSize = 3 3\n", b__raw=bytes(9)
    )
    inputs = found(folder)
    assert labels(inputs) == ["a.hdr", "b.mhd"] and inputs.failures == []
    named = found(folder / "a.img")
    assert (
        named.files[0].path.name == "a.hdr" and named.files[0].label.name == "a.img" and named.files[0].kind == "nifti"
    )
    lonely = found(write(tmp_path / "g", a__raw=bytes(range(99))))
    assert "header beside" in lonely.failures[0].problem


def test_pairs_stay_pairs_in_an_archive(tmp_path):
    path = zipped(tmp_path / "a.zip", a__hdr=NIFTI_PAIR, a__img=bytes(99))
    with open_inputs([path]) as inputs:
        assert labels(inputs) == ["a.hdr"] and inputs.files[0].path.with_suffix(".img").is_file()
    assert inputs.failures == []
