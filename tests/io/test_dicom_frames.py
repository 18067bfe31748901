"""What a frame says about its place, scale and time."""

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.dicom_frames import read_frames, seconds_of
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile

IMAGER = {"ImagerPixelSpacing": [0.14, 0.14]}
FIDUCIAL = {"PixelSpacingCalibrationType": "FIDUCIAL"}


def frames_of(path):
    return read_frames(scan_file(InputFile(path, path, "dicom")))


def frame_of(write_dicom, tmp_path, **elements):
    return frames_of(write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16), **elements))[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("000000", 0),
        ("235959.25", 86399.25),
        ("1015", 36900),
        ("10:15:30", 36930),
        ("20140122111003.96", 40203.96),
        ("", None),
        ("x", None),
    ],
)
def test_times_become_seconds(text, seconds):
    assert seconds_of(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("elements", "spacing", "source"),
    [
        ({"Modality": "DX", "ImagerPixelSpacing": [0.14, 0.14]}, (0.14, 0.14), "detector"),
        (
            {"Modality": "DX", "ImagerPixelSpacing": [0.14, 0.14], "PixelSpacing": [0.14, 0.14]},
            (0.14, 0.14),
            "detector",
        ),
        ({"Modality": "DX", "ImagerPixelSpacing": [0.14, 0.14], "PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "patient"),
        ({"Modality": "CR", "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "detector"),
        (
            {"Modality": "CR", "PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.2, 0.2),
            "patient",
        ),
        ({"Modality": "CT", "PixelSpacing": [0.7, 0.8]}, (0.7, 0.8), "patient"),
        ({"Modality": "CT", "PixelSpacing": [0, 0.8]}, None, "unknown"),
        ({"Modality": "US"}, None, "unknown"),
    ],
)
def test_the_pixel_size_knows_who_states_it(tmp_path, write_dicom, elements, spacing, source):
    frame = frame_of(write_dicom, tmp_path, **elements)
    assert (frame.spacing_mm, frame.spacing_source) == (spacing, source)


def test_ultrasound_takes_its_size_from_the_largest_tissue_region(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    def region(spatial, unit, delta, x1):
        item = Dataset()
        item.RegionSpatialFormat, item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = spatial, unit, unit
        item.PhysicalDeltaX, item.PhysicalDeltaY = delta, delta * 2
        item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = (
            0,
            0,
            x1,
            9,
        )
        return item

    # A small tissue window, the large one, and a larger Doppler trace in seconds.
    regions = Sequence([region(1, 3, 0.5, 3), region(1, 3, 0.01, 20), region(3, 4, 0.7, 90)])
    frame = frame_of(write_dicom, tmp_path, Modality="US", SequenceOfUltrasoundRegions=regions)
    assert frame.spacing_mm == pytest.approx((0.2, 0.1)) and frame.spacing_source == "patient"


@pytest.mark.parametrize("elements", [{"RescaleSlope": "0"}, {"RescaleSlope": "1e308", "RescaleIntercept": "-1e308"}])
def test_a_scaling_that_destroys_values_is_refused(tmp_path, write_dicom, elements):
    with pytest.raises(FormatError, match="slope and intercept"):
        frame_of(write_dicom, tmp_path, **elements)


@pytest.mark.parametrize("cosines", [[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [5, 0, 0, 0, 1, 0], [1, 0, 0]])
def test_impossible_directions_leave_the_frame_without_place(tmp_path, write_dicom, cosines):
    elements = {"ImageOrientationPatient": cosines, "ImagePositionPatient": [0, 0, 0], "PixelSpacing": [1, 1]}
    assert not frame_of(write_dicom, tmp_path, **elements).is_placed


def test_frames_of_a_film_run_by_their_frame_time(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((3, 2, 2), np.uint8), Modality="US", NumberOfFrames=3, FrameTime="40")
    assert [frame.clocks_s["FrameTime"] for frame in frames_of(path)] == pytest.approx([0, 0.04, 0.08])
    path = write_dicom(tmp_path / "b", np.zeros((3, 2, 2), np.uint8), NumberOfFrames=3, FrameTimeVector=[0, 30, 50])
    assert [frame.clocks_s["FrameTime"] for frame in frames_of(path)] == pytest.approx([0, 0.03, 0.08])


def test_slices_of_a_nuclear_volume_are_counted_from_the_first(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [0, 0, 10], [1, 0, 0, 0, 1, 0]
    path = write_dicom(
        tmp_path / "a", np.zeros((3, 2, 2), np.uint16), Modality="NM", NumberOfFrames=3, PixelSpacing=[4, 4],
        SpacingBetweenSlices="5", DetectorInformationSequence=Sequence([detector]),
    )  # fmt: skip
    assert [frame.position_mm[2] for frame in frames_of(path)] == [10, 15, 20]


def test_tiles_of_a_slide_are_refused_by_name(tmp_path, write_dicom):
    elements = {"Modality": "SM", "NumberOfFrames": 2, "TotalPixelMatrixRows": 4, "TotalPixelMatrixColumns": 2}
    with pytest.raises(FormatError, match="whole-slide"):
        frames_of(write_dicom(tmp_path / "a", np.zeros((2, 2, 2), np.uint8), **elements))
