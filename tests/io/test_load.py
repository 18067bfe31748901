"""Files become studies one at a time; what fails is told and the rest goes on."""

import gc
import importlib
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.core.study import InputFailure, Study
from isocenter.core.volume import Volume
from isocenter.io import load as door
from isocenter.io.inputs import open_inputs
from isocenter.io.load import DICOM_READER, READERS, iter_studies, load
from isocenter.io.nifti import write_nifti
from isocenter.io.nrrd import write_nrrd
from isocenter.io.raster import write_png

GRAY = (np.arange(20 * 30) % 251).astype(np.uint8).reshape(20, 30)
BLOCK = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Grid.of_spacing((3, 4, 5), (3, 1, 1)))


def ct_slice(path: Path, place_mm: float = 0, *, study: str = "1.2.3", series: str = "1.2.3.4", value: int = 7) -> Path:
    """One 8 x 8 CT slice as a DICOM file."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"{series}.{int(place_mm * 10) + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = study, series, "CT"
    data.Rows = data.Columns = 8
    data.PixelSpacing, data.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.FrameOfReferenceUID = [0, 0, place_mm], "1.2.9"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 1, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.RescaleSlope, data.RescaleIntercept = 1, -1000
    data.PixelData = np.full((8, 8), value, "<i2").tobytes()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def studies_of(*paths: Path) -> tuple[list[Study], list[InputFailure]]:
    with open_inputs(paths) as inputs:
        return list(iter_studies(inputs)), inputs.failures


@pytest.mark.parametrize("name", [*READERS.values(), DICOM_READER])
def test_every_reader_of_the_list_is_there(name):
    module, function = name.split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_one_file_is_its_image_in_every_form(tmp_path):
    write_png(GRAY, tmp_path / "a.png")
    np.save(tmp_path / "a.npy", BLOCK.array)
    write_nrrd(BLOCK, tmp_path / "a.nrrd")
    write_nifti(BLOCK, tmp_path / "a.nii.gz")
    assert np.array_equal(load(tmp_path / "a.png").array[0], GRAY)
    for name in ("a.npy", "a.nrrd", "a.nii.gz"):
        image = load(str(tmp_path / name))
        assert isinstance(image, Volume) and np.array_equal(image.array, BLOCK.array)
        assert image.source.paths == (tmp_path / name,)
        (tmp_path / name).rename(tmp_path / "wrong.dcm")
        assert np.array_equal(load(tmp_path / "wrong.dcm").array, BLOCK.array)


def test_a_series_is_one_volume_from_a_folder_and_from_a_zip(tmp_path):
    for k in range(4):
        ct_slice(tmp_path / "ct" / f"{9 - k}", 2.5 * k, value=k)
    volume = load(tmp_path / "ct")
    assert isinstance(volume, Volume) and volume.array.shape == (4, 8, 8) and volume.unit == "HU"
    assert volume.array[:, 0, 0].tolist() == [-1000, -999, -998, -997]
    with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
        for path in (tmp_path / "ct").iterdir():
            archive.write(path, f"deep/{path.name}")
    zipped = load(tmp_path / "ct.zip")
    assert np.array_equal(zipped.array, volume.array) and zipped.source.digests == volume.source.digests
    assert all(str(path).startswith(str(tmp_path / "ct.zip/deep")) for path in zipped.source.paths)


def test_several_images_are_a_study_with_its_failures(tmp_path):
    write_png(GRAY, tmp_path / "a.png")
    write_png(GRAY[::-1], tmp_path / "b.png")
    assert len(load(tmp_path).volumes) == 2
    (tmp_path / "b.png").write_bytes(b"broken")
    study = load(tmp_path)
    assert isinstance(study, Study) and len(study.volumes) == 1 and study.failures[0].path == tmp_path / "b.png"


def test_nothing_readable_is_one_line_with_its_place(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(FormatError, match=r"a\.png: expected .* \(and 1 more\)") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(FormatError, match="no such file"):
        load(tmp_path / "absent")


def test_two_dicom_studies_are_not_one(tmp_path):
    ct_slice(tmp_path / "a", study="1.2.3", series="1.2.3.4")
    ct_slice(tmp_path / "b", study="1.2.5", series="1.2.5.4")
    with pytest.raises(InputError, match="got 2"):
        load(tmp_path)
    studies, failures = studies_of(tmp_path)
    assert [study.uid for study in studies] == ["1.2.3", "1.2.5"] and not failures


def test_byte_equal_files_share_a_study_that_names_both(tmp_path):
    for name in ("a.png", "c.png"):
        write_png(GRAY, tmp_path / name)
    write_png(255 - GRAY, tmp_path / "b.png")
    studies, _ = studies_of(tmp_path)
    assert [[path.name for path in study.volumes[0].source.paths] for study in studies] == [
        ["a.png", "c.png"],
        ["b.png"],
    ]
    assert len({study.key for study in studies}) == 2 and all(study.uid == "" for study in studies)


def test_equal_headers_of_different_pixels_are_two_studies(tmp_path):
    for name, value in (("x", 1), ("y", 2)):
        (tmp_path / name).mkdir()
        header = b"NDims = 2\nDimSize = 3 3\nElementType = MET_UCHAR\nElementDataFile = a.raw\n"
        (tmp_path / name / "a.mhd").write_bytes(header)
        (tmp_path / name / "a.raw").write_bytes(bytes([value]) * 9)
    studies, failures = studies_of(tmp_path)
    assert [int(study.volumes[0].array.max()) for study in studies] == [1, 2] and not failures
    assert len({study.key for study in studies}) == 2


def test_studies_come_in_the_order_of_their_first_files(tmp_path):
    write_png(GRAY, tmp_path / "a.png")
    ct_slice(tmp_path / "b", 0)
    write_png(GRAY[:9], tmp_path / "c.png")
    ct_slice(tmp_path / "d", 1)
    studies, _ = studies_of(tmp_path)
    assert [study.volumes[0].source.kind for study in studies] == ["raster", "dicom", "raster"]
    assert studies[1].volumes[0].array.shape[0] == 2


def test_the_study_before_is_gone_when_the_next_is_read(tmp_path, monkeypatch):
    for n in range(4):
        write_png(GRAY + n, tmp_path / f"{n}.png")
    real = door._reader(READERS["raster"])
    last: list[weakref.ref[np.ndarray]] = []

    def read(path: Path):
        assert all(ref() is None for ref in last), "the study before is still held"
        return real(path)

    monkeypatch.setattr(door, "_reader", lambda name: read)
    gc.disable()
    try:
        with open_inputs([tmp_path]) as inputs:
            for study in iter_studies(inputs):
                last.append(weakref.ref(study.volumes[0].array))
                del study
    finally:
        gc.enable()
    assert len(last) == 4 and not inputs.failures


def test_whatever_a_reader_raises_is_one_line(tmp_path, monkeypatch):
    write_png(GRAY, tmp_path / "a.png")
    write_png(GRAY[:5], tmp_path / "b.png")
    real = door._reader(READERS["raster"])

    def reader(name: str):
        def read(path: Path):
            if path.name == "a.png":
                raise RecursionError("Doe^John")
            return real(path)

        return read

    monkeypatch.setattr(door, "_reader", reader)
    studies, failures = studies_of(tmp_path)
    assert len(studies) == 1 and "RecursionError" in failures[0].problem and "Doe" not in failures[0].problem


def test_a_dicom_reader_that_gives_up_does_not_end_the_rest(tmp_path, monkeypatch):
    write_png(GRAY, tmp_path / "z.png")
    ct_slice(tmp_path / "a")
    real = door._reader

    def explode(files, failures):
        raise KeyError("Doe^John")
        yield

    monkeypatch.setattr(door, "_reader", lambda name: explode if name == DICOM_READER else real(name))
    studies, failures = studies_of(tmp_path)
    assert len(studies) == 1 and failures[0].path == tmp_path / "a" and "Doe" not in failures[0].problem


def test_a_film_is_a_cine(tmp_path):
    import cv2

    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 16))
    for n in range(3):
        writer.write(np.full((16, 32, 3), 50 * n, np.uint8))
    writer.release()
    cine = load(tmp_path / "a.avi")
    assert isinstance(cine, Cine) and cine.array.shape == (3, 1, 16, 32)
