"""A zip is unpacked inside the limits, under our names, and never outside its folder."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.archives import temporary_name, unpack_zip
from isocenter.io.limits import Limits


def pack(path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data, method)
    return path


def unpack(path: Path, tmp_path: Path, **limits: int):
    folder = tmp_path / "unpacked"
    folder.mkdir(exist_ok=True)
    unpacked = unpack_zip(path, folder, limits=Limits(**limits))
    return unpacked.files, unpacked.problems


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def test_members_come_out_in_order_with_their_bytes(tmp_path):
    path = pack(tmp_path / "a.zip", [("b/2.dcm", b"two"), ("a.png", b"a"), ("b/1", b"one"), ("b/", b"")])
    found, problems = unpack(path, tmp_path)
    assert [name for _, name in found] == ["a.png", "b/1", "b/2.dcm"] and problems == ()
    assert [place.read_bytes() for place, _ in found] == [b"a", b"one", b"two"]


def test_names_on_disk_are_ours_and_keep_what_belongs_together(tmp_path):
    path = pack(
        tmp_path / "a.zip", [("Doe^John/scan.hdr", b"h"), ("Doe^John/scan.img", b"i"), ("Doe^John/1.2.3", b"x")]
    )
    found, _ = unpack(path, tmp_path)
    on_disk = [place.relative_to(tmp_path / "unpacked") for place, _ in found]
    assert not any("Doe" in str(place) or "scan" in str(place) or "1.2.3" in str(place) for place in on_disk)
    image, header = on_disk[2], on_disk[1]
    assert header.with_suffix(".img") == image and header.suffix == ".hdr"
    assert temporary_name("A.NII.GZ").endswith(".nii.gz") and "." not in temporary_name("evil.sh")


def test_one_name_twice_gives_two_files(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = pack(tmp_path / "a.zip", [("a.png", b"one"), ("a.png", b"two")])
    found, _ = unpack(path, tmp_path)
    assert [place.read_bytes() for place, _ in found] == [b"one", b"two"]


TRICKS = [
    "/etc/passwd", "../up.dcm", "a/../../up.dcm", "..\\up.dcm", "a\\..\\..\\up.dcm", "\\\\host\\share.dcm",
    "C:\\up.dcm", "C:up.dcm", "a/..", "./../up.dcm",
]  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_paths_that_climb_out_are_left_out_and_the_rest_is_read(tmp_path, name):
    path = pack(tmp_path / "a.zip", [("good.png", b"good"), (name, b"evil")])
    before = set(tmp_path.rglob("*"))
    found, problems = unpack(path, tmp_path)
    assert [name for _, name in found] == ["good.png"]
    assert len(problems) == 1 and "1 of 2" in problems[0][1] and "up" not in problems[0][1]
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    assert new == {found[0][0]}


def test_links_and_devices_are_left_out(tmp_path):
    device = zipfile.ZipInfo("null")
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    path = pack(tmp_path / "a.zip", [link("a.dcm", "/etc/passwd"), (device, b""), ("good", b"x")])
    found, problems = unpack(path, tmp_path)
    assert [name for _, name in found] == ["good"] and "2 of 3" in problems[0][1]
    assert not any(place.is_symlink() for place in tmp_path.rglob("*"))


def test_a_bomb_of_one_member_stops_at_the_ratio(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.dcm", bytes(20 * 1024**2))])
    with pytest.raises(LimitError, match="bomb"):
        unpack(path, tmp_path)
    assert sum(place.stat().st_size for place in (tmp_path / "unpacked").rglob("*") if place.is_file()) <= 16 * 1024**2


def test_many_members_together_stop_at_the_total(tmp_path):
    path = pack(tmp_path / "a.zip", [(str(n), bytes(1000)) for n in range(50)], zipfile.ZIP_STORED)
    assert len(unpack(path, tmp_path, archive_bytes=50_000)[0]) == 50
    with pytest.raises(LimitError, match="bomb"):
        unpack_zip(path, tmp_path, limits=Limits(archive_bytes=49_999))


def test_blank_images_are_no_bomb(tmp_path):
    path = pack(tmp_path / "a.zip", [(f"{n}.dcm", bytes(512 * 512 * 2)) for n in range(20)])
    assert len(unpack(path, tmp_path)[0]) == 20


def test_too_many_members_are_counted_before_they_are_listed(tmp_path, monkeypatch):
    path = pack(tmp_path / "a.zip", [(str(n), b"") for n in range(30)])
    assert len(unpack(path, tmp_path, archive_members=30)[0]) == 30
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("listed"))
    with pytest.raises(LimitError, match="29 entries"):
        unpack(path, tmp_path, archive_members=29)


def test_a_directory_that_claims_another_size_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", [("a", b"x")])
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x05\x06")
    for size in (2**31, 2**32 - 1, 5000):
        data[place + 12 : place + 16] = struct.pack("<I", size)
        path.write_bytes(data)
        with pytest.raises(FormatError):
            unpack(path, tmp_path)


def test_a_large_directory_of_zip64_is_counted(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", b"x")
    data = stream.getvalue()
    end = data.rfind(b"PK\x05\x06")
    start = data.find(b"PK\x01\x02")
    big = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, end - start, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "a.zip").write_bytes(data[:end] + big + locator + tail)
    assert [name for _, name in unpack(tmp_path / "a.zip", tmp_path)[0]] == ["a"]
    with pytest.raises(LimitError):
        unpack(tmp_path / "a.zip", tmp_path, archive_members=0)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_cut_archive_is_named(tmp_path, part):
    path = pack(tmp_path / "a.zip", [(str(n), bytes(range(256))) for n in range(9)])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(FormatError, match="cut short"):
        unpack(path, tmp_path)


def test_a_changed_byte_is_found_by_its_checksum(tmp_path):
    path = pack(tmp_path / "a.zip", [("a", bytes(range(256))), ("b", b"sound")], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    found, problems = unpack(path, tmp_path)
    assert [name for _, name in found] == ["b"]
    assert problems[0][0] == "a" and "damaged" in problems[0][1]
    assert len([place for place in (tmp_path / "unpacked").rglob("*") if place.is_file()]) == 1


def test_a_locked_member_is_named_and_the_rest_is_read(tmp_path):
    path = pack(tmp_path / "a.zip", [("a", b"x"), ("b", b"y")])
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 8] |= 1  # APPNOTE.TXT 4.4.4, bit 0: encrypted
    path.write_bytes(data)
    found, problems = unpack(path, tmp_path)
    assert [name for _, name in found] == ["b"] and "password" in problems[0][1]
