"""A volume written as a DICOM CT series, the way a scanner would send it; identifiers are hashes of its content."""

import hashlib
from pathlib import Path

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume

# PS3.4 B.5: CT Image Storage. Explicit VR little endian: PS3.5 A.2.
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLEMENTATION_UID = "2.25.269428733410958220194163904021870541127"
INTERCEPT_HU = -1024


def write_phantom_series(volume: Volume, folder: Path, *, patient_name: str = "PHANTOM^CHEST") -> tuple[Path, ...]:
    """The series' files, one per slice, named in slice order.

    Raises InputError unless the volume is in HU.
    """
    if volume.unit != "HU" or volume.is_colour:
        raise InputError(f"CT series: expected a gray volume in HU, got {volume.unit}")
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.clip(np.round(volume.array - INTERCEPT_HU), 0, 65535).astype("<u2")
    digest = hashlib.sha256(stored.tobytes() + volume.grid.affine.tobytes()).hexdigest()
    paths = []
    for number, pixels in enumerate(stored):
        path = folder / f"CT{number + 1:04d}.dcm"
        _slice_dataset(volume, (number, pixels), digest, patient_name).save_as(path, enforce_file_format=True)
        paths.append(path)
    return tuple(paths)


def make_uid(*parts: str) -> str:
    """A UID that is a hash of what it names (PS3.5 B.2, UUID-derived form 2.25)."""
    number = int(hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32], 16)
    return f"2.25.{number}"


def _slice_dataset(volume: Volume, numbered: tuple[int, np.ndarray], digest: str, patient_name: str):  # type: ignore[no-untyped-def]
    """One CT image (PS3.3 A.3)."""
    from pydicom.dataset import Dataset, FileMetaDataset

    number, pixels = numbered
    uid = make_uid(digest, "image", str(number))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT_IMAGE_STORAGE, uid
    meta.TransferSyntaxUID, meta.ImplementationClassUID = EXPLICIT_LITTLE_ENDIAN, IMPLEMENTATION_UID
    dataset = Dataset()
    dataset.file_meta = meta
    _describe_patient_and_study(dataset, digest, patient_name)
    _describe_series(dataset, volume, digest)
    _describe_image(dataset, volume, number)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT_IMAGE_STORAGE, uid
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    return dataset


def _describe_patient_and_study(dataset, digest: str, patient_name: str) -> None:  # type: ignore[no-untyped-def]
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID = patient_name, "PHANTOM-1"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19600101", "O", "066Y"
    dataset.StudyInstanceUID = make_uid(digest, "study")
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20260101"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000"
    dataset.AccessionNumber, dataset.StudyID, dataset.ReferringPhysicianName = "", "1", ""
    dataset.StudyDescription = "Chest CT phantom"


def _describe_series(dataset, volume: Volume, digest: str) -> None:  # type: ignore[no-untyped-def]
    dataset.Modality, dataset.BodyPartExamined = "CT", "CHEST"
    dataset.SeriesInstanceUID, dataset.SeriesNumber = make_uid(digest, "series"), 1
    dataset.FrameOfReferenceUID = make_uid(digest, "frame")
    dataset.SeriesDescription, dataset.PositionReferenceIndicator = "Chest, axial", ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "Isocenter", "Simulated scanner"
    dataset.SoftwareVersions, dataset.PatientPosition = "1", "HFS"
    dataset.KVP, dataset.ConvolutionKernel = "120", volume.facts.kernel or "HANN"
    dataset.AcquisitionNumber = 1


def _describe_image(dataset, volume: Volume, number: int) -> None:  # type: ignore[no-untyped-def]
    affine, (slice_mm, row_mm, column_mm) = volume.grid.affine, volume.grid.spacing_mm
    place = volume.grid.to_world_mm(np.array([number, 0, 0]))
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber = number + 1
    dataset.ImagePositionPatient = [f"{v:.6g}" for v in place]
    cosines = np.concatenate([affine[:3, 2] / column_mm, affine[:3, 1] / row_mm])
    dataset.ImageOrientationPatient = [f"{v:.6g}" for v in cosines]
    dataset.PixelSpacing = [f"{row_mm:.6g}", f"{column_mm:.6g}"]
    thickness = volume.facts.slice_thickness_mm or float(slice_mm)
    dataset.SliceThickness, dataset.SliceLocation = f"{thickness:.6g}", f"{place[2]:.6g}"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = str(INTERCEPT_HU), "1", "HU"
    dataset.WindowCenter, dataset.WindowWidth = ["-600", "40"], ["1500", "400"]
