"""Bad input, from the folder to the studies: one clear line each, the rest read, nothing left, memory bounded."""

import gzip
import io
import re
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from isocenter.core.grid import Grid
from isocenter.core.study import InputFailure, Study
from isocenter.core.volume import Volume
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies
from isocenter.io.nifti import write_nifti
from isocenter.io.nrrd import write_nrrd

MIB = 1024**2
PIXELS = np.random.default_rng(0).integers(0, 255, (24, 32), dtype=np.uint8)
BLOCK = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Grid.of_spacing((3, 4, 5), (3, 1, 1)))
NAME = "Doe^Jane"


def picture(form: str = "PNG", pixels: np.ndarray = PIXELS, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(columns: int, rows: int, rest: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rest) + chunk(b"IEND", b"")


def dicom(n: int = 0, *, pixels: bool = True, **changed: object) -> bytes:
    """One 16 x 16 CT slice of a patient whose name must never show, or the same with attributes changed."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"1.2.3.4.{n + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.3", "1.2.3.4", "CT"
    data.PatientName, data.PatientID = NAME, "SECRET-ID"
    data.FrameOfReferenceUID, data.InstanceNumber = "1.2.9", n + 1
    data.PixelSpacing, data.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [0, 0, float(n)]
    data.Rows = data.Columns = 16
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 1, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    if pixels:
        data.PixelData = np.full((16, 16), n, "<i2").tobytes()
    for key, value in changed.items():
        setattr(data, key, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def written(write, suffix: str, volume: Volume = BLOCK) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write(volume, path)
        return path.read_bytes()


def nifti(**changed: object) -> bytes:
    """A 348-byte NIfTI-1 header (nifti1.h) of float64 and a few bytes, with `dim` or `data` changed."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, *changed.get("dim", (3, 4, 4, 4, 1, 1, 1, 1)))
    struct.pack_into("<2h", head, 70, 64, 64)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    head[344:348] = b"n+1\0"
    return bytes(head) + bytes(changed.get("data", b""))


def outcome(*paths: Path) -> tuple[list[Study], list[InputFailure]]:
    """Studies and failures; each failure is one line in our form that names no patient and no temporary place."""
    with open_inputs(paths) as inputs:
        studies = list(iter_studies(inputs))
    for failure in inputs.failures:
        assert failure.problem.startswith("expected "), failure.problem
        assert "\n" not in failure.problem and len(failure.problem) < 300
        for secret in (NAME, "SECRET", "isocenter-", "Traceback"):
            assert secret not in failure.problem and secret not in str(failure.path), failure
    return studies, inputs.failures


def put(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path_factory, monkeypatch):
    """No temporary file outlives a reading."""
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield
    assert not list(scratch.iterdir())


NAN = np.full((4, 4, 4), np.nan)
ONE_NAN = np.zeros((4, 4, 4))
ONE_NAN[1, 2, 3] = np.nan
BAD: dict[str, tuple[bytes, str]] = {
    "zero.png": (b"", "0 bytes"),
    "zero.dcm": (b"", "0 bytes"),
    "zero": (b"", "0 bytes"),
    "cut.png": (picture()[:200], "cut short"),
    "cut.jpg": (picture("JPEG")[:300], "cut short"),
    "cut.tif": (picture("TIFF")[:400], "cut short"),
    "cut.bmp": (picture("BMP")[:400], "cut short"),
    "cut.dcm": (dicom()[:-100], "cut short"),
    "cut-in-header.dcm": (dicom()[:400], "cut short|damaged|no pixel data|transfer syntax|expected"),
    "cut.nii": (nifti(data=bytes(500)), "cut short"),
    "cut.nii.gz": (gzip.compress(nifti(data=PIXELS.tobytes()))[:-300], "cut short|damaged"),
    "cut.nrrd": (written(write_nrrd, ".nrrd")[:-20], "cut short"),
    "cut.npy": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fo", "damaged"),
    "flipped.png": (picture()[:100] + b"\x55" + picture()[101:], "checksum"),
    "text.dcm": (b"just text", "a text file"),
    "noise.dcm": (bytes(range(256)) * 9, "no image format"),
    "page.jpg": (b"%PDF-1.7", "a PDF document"),
    "huge.png": (png_of(65_535, 65_535, zlib.compress(bytes(99))), "megapixels"),
    "bomb.png": (png_of(20_000, 20_000, zlib.compress(bytes(20_000 * 1000))), "megapixels"),
    "huge.dcm": (dicom(Rows=65_535, Columns=65_535), "megapixels|65535"),
    "huge.nii": (nifti(dim=(3, 30_000, 30_000, 100, 1, 1, 1, 1)), "GiB"),
    "huge.nii.gz": (gzip.compress(nifti(dim=(3, 30_000, 30_000, 100, 1, 1, 1, 1))), "GiB"),
    "negative.nii": (nifti(dim=(3, -4, 4, 4, 1, 1, 1, 1)), "expected"),
    "nan.nii": (nifti(data=NAN.tobytes()), "64 of 64"),
    "one-nan.nii": (nifti(data=ONE_NAN.tobytes()), "1 of 64"),
    "dot.png": (picture(pixels=PIXELS[:1, :1]), "2 x 2"),
    "line.png": (picture(pixels=PIXELS[:1]), "2 x 2"),
    "dot.dcm": (dicom(Rows=1, Columns=1, PixelData=b"\1\0"), "2 x 2"),
    "dot.nii": (nifti(dim=(3, 1, 1, 1, 1, 1, 1, 1), data=bytes(8)), "2 x 2"),
    "nopixels.dcm": (dicom(pixels=False), "pixel"),
    "archive.tar.gz": (gzip.compress(b"x" * 999), "gzip archive"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_is_one_line_and_its_neighbour_is_read(tmp_path, name):
    data, says = BAD[name]
    (tmp_path / name).write_bytes(data)
    put(tmp_path, good__png=picture())
    studies, failures = outcome(tmp_path)
    assert len(studies) == 1 and studies[0].volumes[0].source.kind == "raster"
    assert [failure.path for failure in failures] == [tmp_path / name]
    assert re.search(says, failures[0].problem), failures[0].problem


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_stays_in_bounded_memory(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name][0])
    outcome(tmp_path)  # libraries are loaded now
    tracemalloc.start()
    outcome(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * MIB


CHILD = """
import resource, sys
from pathlib import Path
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies
def peak(folder):
    with open_inputs([Path(folder)]) as inputs:
        for _ in iter_studies(inputs):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak(sys.argv[1]), peak(sys.argv[2]))
"""


def test_all_bad_files_together_stay_in_bounded_memory_as_the_system_counts_it(tmp_path):
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    for suffix, data in SEEDS.items():
        (tmp_path / "good" / f"a.{suffix}").write_bytes(data)
    for name, (data, _) in BAD.items():
        (tmp_path / "bad" / name).write_bytes(data)
    (tmp_path / "bad" / "bomb.zip").write_bytes(zip_bytes({"a.dcm": bytes(64 * MIB)}))
    command = [sys.executable, "-c", CHILD, str(tmp_path / "good"), str(tmp_path / "bad")]
    before, after = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert after - before < 100 * 1024  # KiB


def test_every_bad_file_together_with_good_ones(tmp_path):
    for name, (data, _) in BAD.items():
        (tmp_path / name).write_bytes(data)
    for n in range(3):
        (tmp_path / f"good{n}").write_bytes(
            dicom(n, StudyInstanceUID="1.2.7", SeriesInstanceUID="1.2.7.1", SOPInstanceUID=f"1.2.7.1.{n}")
        )
    studies, failures = outcome(tmp_path)
    assert [study.volumes[0].array.shape for study in studies] == [(3, 16, 16)]
    assert {failure.path.name for failure in failures} == set(BAD)


def test_five_broken_files_among_a_thousand(tmp_path):
    broken = {100, 300, 500, 700, 900}
    for n in range(1000):
        data = dicom(n)
        (tmp_path / f"{n:04}.dcm").write_bytes(data[:-77] if n in broken else data)
    studies, failures = outcome(tmp_path)
    assert {int(failure.path.stem) for failure in failures if "cut short" in failure.problem} == broken
    assert sum(image.array.shape[0] for study in studies for image in study.volumes) == 995


def test_a_wrong_suffix_is_no_problem(tmp_path):
    put(
        tmp_path,
        a__dcm=picture(),
        b__png=dicom(),
        c__jpg=written(write_nifti, ".nii.gz"),
        d__nii=written(write_nrrd, ".nrrd"),
    )
    studies, failures = outcome(tmp_path)
    assert [study.volumes[0].source.kind for study in studies] == ["raster", "dicom", "nifti", "nrrd"] and not failures


def test_sixteen_bits_cmyk_and_colour_are_read(tmp_path):
    deep = PIXELS.astype(np.uint16) * 200
    colour = np.dstack((PIXELS, PIXELS[::-1], PIXELS))
    stream = io.BytesIO()
    Image.fromarray(colour).convert("CMYK").save(stream, "JPEG")
    put(tmp_path, a__png=picture(pixels=deep), b__jpg=stream.getvalue(), c__png=picture(pixels=colour))
    studies, failures = outcome(tmp_path)
    images = [study.volumes[0] for study in studies]
    assert [image.array.shape for image in images] == [(1, 24, 32), (1, 24, 32, 3), (1, 24, 32, 3)] and not failures
    assert np.array_equal(images[0].array[0], deep) and [image.unit for image in images] == ["a.u.", "sRGB", "sRGB"]


def test_objects_without_a_picture_are_attachments(tmp_path):
    for n in range(3):
        put(tmp_path, **{f"ct{n}": dicom(n)})
    classes = {"SR": "1.2.840.10008.5.1.4.1.1.88.33", "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3"}
    for n, (modality, sop_class) in enumerate(classes.items()):
        other = dicom(
            9,
            pixels=False,
            Modality=modality,
            SOPClassUID=sop_class,
            SOPInstanceUID=f"1.2.8.{n}",
            SeriesInstanceUID=f"1.2.8.{n}",
        )
        put(tmp_path, **{f"other{n}": other})
    (study,), failures = outcome(tmp_path)
    assert study.volumes[0].array.shape == (3, 16, 16) and not failures
    assert sorted(attachment.modality for attachment in study.attachments) == ["RTSTRUCT", "SR"]


def zip_bytes(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_zip_with_path_tricks_gives_one_line_and_its_good_files(tmp_path):
    tricks = {f"../{n}.png": picture() for n in range(3)} | {"/abs.png": picture(), "a\\..\\..\\b.png": picture()}
    put(tmp_path, a__zip=zip_bytes(tricks | {"good.png": picture(), "bad.png": b"x"}))
    studies, failures = outcome(tmp_path / "a.zip")
    assert [study.volumes[0].source.paths for study in studies] == [(tmp_path / "a.zip/good.png",)]
    assert [failure.path for failure in failures] == [tmp_path / "a.zip", tmp_path / "a.zip/bad.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_zip_bombs_are_one_line_in_bounded_memory(tmp_path):
    bomb = zip_bytes({"a.dcm": bytes(64 * MIB)})
    nested = zip_bytes({"b.zip": bomb, "c.zip": bomb})
    put(tmp_path, bomb__zip=bomb, nested__zip=nested, many__zip=zip_bytes({str(n): b"" for n in range(3000)}))
    tracemalloc.start()
    studies, failures = outcome(tmp_path / "bomb.zip", tmp_path / "nested.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not studies and peak < 30 * MIB
    assert [failure.path.name for failure in failures] == ["bomb.zip", "b.zip", "c.zip"]
    assert "bomb" in failures[0].problem and "archive inside" in failures[1].problem
    assert len(outcome(tmp_path / "many.zip")[1]) == 3000


SEEDS: dict[str, bytes] = {
    "png": picture(),
    "jpg": picture("JPEG"),
    "tif": picture("TIFF"),
    "bmp": picture("BMP"),
    "nii": written(write_nifti, ".nii"),
    "nii.gz": written(write_nifti, ".nii.gz"),
    "nrrd": written(write_nrrd, ".nrrd"),
    "mha": b"NDims = 2\nDimSize = 3 3\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n" + bytes(range(9)),
    "zip": zip_bytes({"a.png": picture(), "b": dicom()}),
    "dcm": dicom(),
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """A few flipped bits, overwritten, cut, doubled or missing parts."""
    broken = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        place, length = int(rng.integers(len(broken) + 1)), int(rng.integers(1, 20))
        match int(rng.integers(6)):
            case 0 if place < len(broken):
                broken[place] ^= 1 << int(rng.integers(8))
            case 1:
                broken[place : place + length] = rng.bytes(length)
            case 2:
                del broken[place : place + length]
            case 3:
                broken[place:place] = rng.bytes(length)
            case 4 if len(broken) > 40:
                del broken[max(place, 20) :]
            case _:
                broken[place : place + 4] = struct.pack(
                    "<I", int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFF0]))
                )
    return bytes(broken)


@pytest.mark.parametrize("suffix", SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_mutated_files_are_read_or_refused_with_one_line(tmp_path, suffix, seed):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(mutate(SEEDS[suffix], np.random.default_rng(seed)))
    studies, failures = outcome(path)
    assert studies or failures
    assert all(np.isfinite(image.array).all() for study in studies for image in study.volumes)


def test_the_lines_in_the_documentation_are_those_that_come(tmp_path):
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "formats.md"
    quoted = re.findall(r"`(expected [^`]*)`", page.read_text(encoding="utf-8"))
    for name, (data, _) in BAD.items():
        (tmp_path / name).write_bytes(data)
    said = {failure.problem for failure in outcome(tmp_path)[1]}
    assert len(quoted) > 8 and not set(quoted) - said
