from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut

from isocenter.core.cine import Cine
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume, Window
from isocenter.reporting.dicom_sc import build_secondary_capture, store_colour, store_gray

RNG = np.random.default_rng(4)
SHAPES = {"picture": (1, 20, 30), "stack": (4, 20, 30)}


def _volume(array: np.ndarray, grid: Grid | None = None) -> Volume:
    source = Source("raster", digests=("sha256:" + "3" * 64,))
    return Volume(array, grid or Grid.of_pixels(array.shape[:3]), "a.u.", "US", source=source)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", ["byte", "colour", "word", "signed", "real"])
@pytest.mark.parametrize("placed", [False, True])
def test_pixels_come_back_and_the_validator_finds_no_error(samples, dicom_errors, as_written, shape, kind, placed):
    array = {
        "byte": lambda: RNG.integers(0, 256, shape, np.uint8),
        "colour": lambda: RNG.integers(0, 256, (*shape, 3), np.uint8),
        "word": lambda: RNG.integers(0, 65536, shape, np.uint16),
        "signed": lambda: RNG.integers(-1024, 3000, shape, np.int16),
        "real": lambda: RNG.normal(0, 100, shape).astype(np.float32),
    }[kind]()
    grid = Grid.of_spacing(shape, (2.0, 0.7, 0.8)) if placed else None
    (capture,) = build_secondary_capture(_volume(array, grid), samples.breast(dicom=False).report)
    assert dicom_errors(capture) == []
    read = pydicom.dcmread(as_written(capture))
    values = read.pixel_array.reshape(array.shape)
    if kind in ("byte", "colour"):
        assert np.array_equal(values, array)
    else:
        step = 0 if kind != "real" else float(np.ptp(array)) / 65535
        assert np.abs(apply_modality_lut(values, read) - array).max() <= step


def test_a_pixel_size_is_written_only_where_somebody_stated_it(samples):
    report = samples.breast(dicom=False).report
    array = np.zeros((1, 20, 30), np.uint8)
    (unknown,) = build_secondary_capture(_volume(array), report)
    assert "PixelSpacing" not in unknown and "FrameOfReferenceUID" not in unknown
    (stated,) = build_secondary_capture(_volume(array, Grid.of_pixels(array.shape).with_spacing(0.2, 0.3)), report)
    assert list(stated.PixelSpacing) == [0.2, 0.3]
    assert stated.PixelSpacingCalibrationDescription == "pixel size stated by the caller"


def test_each_slice_of_a_volume_keeps_its_place(samples):
    grid = Grid.of_spacing((4, 20, 30), (2.0, 0.7, 0.8), (1.0, 2.0, 3.0))
    (capture,) = build_secondary_capture(
        _volume(np.zeros(grid.shape, np.int16), grid), samples.breast(dicom=False).report
    )
    place = capture.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0].ImagePositionPatient
    assert list(map(float, place)) == [1.0, 2.0, 7.0]


def test_the_patient_stays_unknown_and_the_study_is_named_by_its_content(samples):
    sample = samples.breast(dicom=False)
    one, other = (build_secondary_capture(sample.volume, sample.report)[0] for _ in range(2))
    assert str(one.PatientName) == one.PatientID == ""
    assert one.StudyInstanceUID == other.StudyInstanceUID and one.StudyInstanceUID.startswith("2.25.")
    assert one.SOPInstanceUID == other.SOPInstanceUID
    changed = replace(sample.volume, source=Source("raster", digests=("sha256:" + "9" * 64,)))
    assert build_secondary_capture(changed, sample.report)[0].SOPInstanceUID != one.SOPInstanceUID


def test_a_film_clip_becomes_one_multi_frame_object(samples, dicom_errors):
    grid = Grid.of_pixels((1, 20, 30))
    cine = Cine(RNG.integers(0, 256, (5, 1, 20, 30, 3), np.uint8), np.arange(5.0), grid, "sRGB", "ES")
    (capture,) = build_secondary_capture(cine, samples.breast(dicom=False).report)
    assert capture.NumberOfFrames == 5 and dicom_errors(capture) == []


def test_a_window_is_kept(samples):
    volume = _volume(np.zeros((1, 20, 30), np.int16))
    volume = replace(volume, facts=replace(volume.facts, windows=(Window(40, 400),), burned_in=False))
    (capture,) = build_secondary_capture(volume, samples.breast(dicom=False).report)
    assert (capture.WindowCenter, capture.WindowWidth, capture.BurnedInAnnotation) == (40, 400, "NO")


def test_values_that_are_no_number_do_not_stop_the_storing():
    stored = store_gray(np.array([[np.nan, 0.5], [1.5, 2.5]]))
    assert stored.pixels.dtype == np.uint16 and stored.pixels.max() == 65535
    assert store_gray(np.zeros((2, 2))).pixels.max() == 0
    assert store_colour(np.full((1, 1, 1, 3), 65535, np.uint16)).pixels.max() == 255
