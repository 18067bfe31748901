"""A synthetic DICOM writer for the tests of this room; invented data only."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXPLICIT = "1.2.840.10008.1.2.1"
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def _write_dicom(path: Path, pixels: np.ndarray | bytes | None, syntax: str = EXPLICIT, **elements: Any) -> Path:
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset

    dataset = Dataset()
    dataset.SOPClassUID = CT_CLASS
    dataset.SOPInstanceUID = f"2.25.{zlib.crc32(str(path).encode())}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.1", "2.25.2"
    dataset.Modality = "CT"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    if isinstance(pixels, np.ndarray):
        colour = pixels.ndim > 2 and pixels.shape[-1] == 3
        dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
        dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        if colour:
            dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
        dataset["PixelData"].VR = "OW"
    elif pixels is not None:
        dataset.PixelData = pixels
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True, implicit_vr=syntax == "1.2.840.10008.1.2", little_endian=True)
    return path


@pytest.fixture(scope="session")
def write_dicom() -> Callable[..., Path]:
    """(path, pixels, syntax=…, **elements by keyword) -> path of a new CT file."""
    return _write_dicom


@pytest.fixture(scope="session")
def write_stack() -> Callable[..., list[Path]]:
    """(folder, voxels, affine, **elements) -> paths of a CT series whose slices lie where the affine says."""

    def write(folder: Path, voxels: np.ndarray, affine: np.ndarray, **elements: Any) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        row, column = affine[:3, 2] / steps[2], affine[:3, 1] / steps[1]
        paths = []
        for index, plane in enumerate(voxels):
            place = affine[:3, 3] + index * affine[:3, 0]
            own = {
                "ImagePositionPatient": [f"{x:.10g}" for x in place],
                "ImageOrientationPatient": [f"{x:.10g}" for x in [*row, *column]],
                "PixelSpacing": [f"{steps[1]:.10g}", f"{steps[2]:.10g}"],
                "InstanceNumber": index + 1,
                "SOPInstanceUID": f"2.25.77{index}",
                "FrameOfReferenceUID": "2.25.3",
            }
            paths.append(_write_dicom(folder / f"{index:03d}.dcm", plane, **{**own, **elements}))
        return paths

    return write
