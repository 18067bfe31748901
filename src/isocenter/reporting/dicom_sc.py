"""An image that never was DICOM as a Secondary Capture, so that SR and SEG have something to refer to.

Source: PS3.3 A.8 (Secondary Capture IODs), C.8.6 (their modules), C.11.1 (rescale), 10.7 (pixel spacing calibration).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.grid import Grid
from isocenter.core.report import Report
from isocenter.core.volume import Volume
from isocenter.reporting.dicom_source import decimals, file_meta, inherit, orientation_item, stamp
from isocenter.reporting.uids import content_uid, study_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SERIES_NUMBER = 1
_SINGLE = "1.2.840.10008.5.1.4.1.1.7"
_MULTI_BYTE, _MULTI_WORD, _MULTI_COLOUR = f"{_SINGLE}.2", f"{_SINGLE}.3", f"{_SINGLE}.4"


class Stored(NamedTuple):
    """Pixels as they are stored, uint8 or uint16, and how values come back: stored * slope + intercept."""

    pixels: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0


def build_secondary_capture(volume: Volume | Cine, report: Report) -> "tuple[Dataset, ...]":
    """The image as one Secondary Capture instance: single frame, or multi-frame with the slices' places.

    The patient is unknown and stays empty; a pixel size is written only where somebody stated it.
    """
    from pydicom.dataset import Dataset

    colour = volume.array.shape[-1] == 3 and volume.array.ndim == (5 if isinstance(volume, Cine) else 4)
    stored = store_colour(volume.array) if colour else store_gray(volume.array)
    frames = stored.pixels.reshape(-1, *volume.grid.shape[1:], *((3,) if colour else ()))
    identity = (study_uid(report), *sorted(volume.source.digests))
    capture = Dataset()
    source = Dataset()
    source.StudyInstanceUID, source.StudyDate = study_uid(report), report.study.date.replace("-", "")
    source.PatientSex = report.study.sex
    inherit(capture, source, identity=False)
    capture.SOPClassUID = _sop_class(frames, colour)
    capture.Modality, capture.ConversionType = volume.modality or "OT", "WSD"
    stamp(
        capture, report, series_uid=content_uid("sc-series", *identity), series_number=SERIES_NUMBER,
        sop_uid=content_uid("sc", *identity),
    )  # fmt: skip
    capture.ImageType, capture.PatientOrientation = ["DERIVED", "SECONDARY"], ""
    capture.Laterality = ""
    capture.BurnedInAnnotation = "NO" if volume.facts.burned_in is False else "YES"
    _add_pixels(capture, frames, stored, colour)
    if volume.facts.windows and not colour:
        window = volume.facts.windows[0]
        capture.WindowCenter, capture.WindowWidth = decimals((window.center, window.width))
    _add_geometry(capture, volume.grid, len(frames), content_uid("frame-of-reference", *identity))
    file_meta(capture)
    return (capture,)


def store_gray(array: np.ndarray) -> Stored:
    """Gray values as unsigned integers: bytes as they are, whole numbers exactly, others in 65,536 steps.

    >>> store_gray(np.array([-1024.0, 300.0])).pixels.tolist(), store_gray(np.array([-1024.0, 300.0])).intercept
    ([0, 1324], -1024.0)
    """
    if array.dtype in (np.bool_, np.uint8):
        return Stored(array.astype(np.uint8))
    values = np.nan_to_num(array.astype(np.float64 if array.dtype.kind == "f" else np.int64))
    low, high = float(values.min()), float(values.max())
    whole = high - low <= 65535 and bool(np.all(values == np.rint(values)))
    if whole:
        low = 0.0 if low >= 0 and high <= 65535 else low
        return Stored((values - low).astype(np.uint16), 1.0, low)
    # As the decimal string that the header will hold, so that what is read back is what was computed with.
    slope = float(decimals(((high - low) / 65535,))[0])
    intercept = float(decimals((low,))[0])
    return Stored(np.clip(np.rint((values - intercept) / slope), 0, 65535).astype(np.uint16), slope, intercept)


def store_colour(array: np.ndarray) -> Stored:
    """Colour as bytes; anything wider is scaled from its own largest value."""
    if array.dtype == np.uint8:
        return Stored(array)
    top = float(np.nanmax(array)) or 1.0
    return Stored(np.clip(np.nan_to_num(array) * (255.0 / top), 0, 255).astype(np.uint8))


def _sop_class(frames: np.ndarray, colour: bool) -> str:
    if len(frames) == 1:
        return _SINGLE
    if colour:
        return _MULTI_COLOUR
    return _MULTI_BYTE if frames.dtype == np.uint8 else _MULTI_WORD


def _add_pixels(capture: "Dataset", frames: np.ndarray, stored: Stored, colour: bool) -> None:
    bits = frames.dtype.itemsize * 8
    capture.SamplesPerPixel, capture.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        capture.PlanarConfiguration = 0
    capture.Rows, capture.Columns = frames.shape[1:3]
    capture.BitsAllocated = capture.BitsStored = bits
    capture.HighBit, capture.PixelRepresentation = bits - 1, 0
    if not colour and (bits == 16 or len(frames) > 1):
        capture.RescaleSlope, capture.RescaleIntercept = decimals((stored.slope, stored.intercept))
        capture.RescaleType = "US"
        capture.PresentationLUTShape = "IDENTITY"
    data = np.ascontiguousarray(frames, dtype=f"<u{bits // 8}").tobytes()
    capture.PixelData = data + bytes(len(data) % 2)
    capture["PixelData"].VR = "OW" if bits == 16 else "OB"


def _add_geometry(capture: "Dataset", grid: Grid, n_frames: int, frame_of_reference_uid: str) -> None:
    from pydicom.tag import Tag

    if grid.position_known:
        capture.FrameOfReferenceUID, capture.PositionReferenceIndicator = frame_of_reference_uid, ""
    if n_frames > 1:
        capture.NumberOfFrames = n_frames
    if n_frames > 1 and grid.position_known and grid.spacing_known:
        _add_places(capture, grid, n_frames)
        return
    if n_frames > 1:
        capture.FrameIncrementPointer = Tag("PageNumberVector")
        capture.PageNumberVector = [str(n + 1) for n in range(n_frames)]
    if grid.spacing_known:
        _add_spacing(capture, grid)


def _add_spacing(item: "Dataset", grid: Grid) -> None:
    item.PixelSpacing = decimals(float(v) for v in grid.spacing_mm[1:])
    if grid.spacing_source == "context":
        item.PixelSpacingCalibrationType = "FIDUCIAL"
        item.PixelSpacingCalibrationDescription = "pixel size stated by the caller"


def _add_places(capture: "Dataset", grid: Grid, n_frames: int) -> None:
    """Functional groups: pixel size and orientation for all frames, the place in the patient of each."""
    from pydicom.dataset import Dataset
    from pydicom.tag import Tag

    capture.FrameIncrementPointer = Tag("PerFrameFunctionalGroupsSequence")
    measures, shared, frames = Dataset(), Dataset(), []
    _add_spacing(measures, grid)
    measures.SliceThickness = measures.SpacingBetweenSlices = decimals((float(grid.spacing_mm[0]),))[0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation_item(grid)]
    for n in range(n_frames):
        item, plane = Dataset(), Dataset()
        plane.ImagePositionPatient = decimals(grid.to_world_mm(np.array([n % grid.shape[0], 0, 0])))
        item.PlanePositionSequence = [plane]
        frames.append(item)
    capture.SharedFunctionalGroupsSequence = [shared]
    capture.PerFrameFunctionalGroupsSequence = frames
