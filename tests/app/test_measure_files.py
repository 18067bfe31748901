import csv

import numpy as np
import pytest

from isocenter.app.measure_files import COLUMNS, MeasureOptions, measure_files, write_measurements
from isocenter.core.errors import GeometryError, InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.measure import Measured
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png

GRID = Grid.of_spacing((12, 30, 40), (3.0, 1.0, 1.0), (5.0, -7.0, 20.0))


def nifti(path, array, grid=GRID, unit="a.u."):
    write_nifti(Volume(array, grid, unit), path)
    return path


@pytest.fixture
def files(tmp_path):
    """An image of 100 with a brighter box, and a mask with the box as 1 and two specks as 2."""
    image = np.full(GRID.shape, 100, np.int16)
    image[4:8, 10:20, 10:30] = 300
    mask = np.zeros(GRID.shape, np.uint8)
    mask[4:8, 10:20, 10:30] = 1
    mask[1, 2:4, 2:4] = mask[10, 25:27, 35:37] = 2
    return nifti(tmp_path / "image.nii.gz", image), nifti(tmp_path / "mask.nii.gz", mask)


def table(measured) -> dict[tuple[str, str], Measured]:
    found = {(label, row.name): row for label, row in measured.rows}
    assert len(found) == len(measured.rows)
    return found


def test_every_label_has_size_and_values(files):
    rows = table(measure_files(*files))
    assert rows["1", "volume"].value == pytest.approx(4 * 10 * 20 * 3 / 1000)
    assert rows["1", "intensity_mean"].value == 300 and rows["2", "intensity_mean"].value == 100
    assert rows["2", "components"].value == 2


def test_the_table_is_the_contracts(files, tmp_path):
    rows = measure_files(*files).rows
    write_measurements(rows, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert tuple(written[0]) == COLUMNS == ("label", "name", "value", "unit", "method", "uncertainty")
    assert len(written) == len(rows)
    volume = next(row for row in written if row["name"] == "volume")
    assert float(volume["value"]) == pytest.approx(2.4) and float(volume["uncertainty"]) > 0 and volume["unit"] == "ml"
    assert next(row for row in written if row["name"] == "voxels")["uncertainty"] == ""


def test_pieces_of_a_label_can_be_measured_on_their_own(files):
    rows = table(measure_files(*files, options=MeasureOptions(split=True)))
    assert {label for label, _ in rows} == {"1", "2.1", "2.2"}
    assert rows["2.1", "voxels"].value == 4


def test_the_given_unit_names_the_values(files):
    assert table(measure_files(*files, options=MeasureOptions(unit="HU")))["1", "hu_mean"].unit == "HU"


def test_the_sidecar_that_convert_writes_names_the_values_too(files):
    sidecar = files[0].with_name("image.json")
    sidecar.write_text('{"Units": "HU"}')
    assert table(measure_files(*files))["1", "hu_mean"].value == 300
    sidecar.write_text("no JSON")
    assert ("1", "intensity_mean") in table(measure_files(*files))


def test_a_mask_on_a_grid_of_its_own_is_sized_there_and_says_where_values_were_read(files, tmp_path):
    fine = Grid.of_spacing((12, 60, 80), (3.0, 0.5, 0.5), (4.75, -7.25, 20.0))
    mask = np.zeros(fine.shape, np.uint8)
    mask[4:8, 20:40, 20:60] = 1
    rows = table(measure_files(files[0], nifti(tmp_path / "fine.nii.gz", mask, fine)))
    assert rows["1", "volume"].value == pytest.approx(2.4)
    assert rows["1", "intensity_mean"].value == 300
    assert "nearest neighbour" in rows["1", "intensity_mean"].method
    far = Grid.of_spacing(fine.shape, (3.0, 0.5, 0.5), (900.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="outside"):
        measure_files(files[0], nifti(tmp_path / "far.nii.gz", mask, far))


def test_a_picture_without_a_pixel_size_is_measured_in_pixels_or_by_the_given_one(tmp_path):
    picture = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 20:50] = 255
    write_png(picture, tmp_path / "a.png")
    write_png(mask, tmp_path / "m.png")
    rows = table(measure_files(tmp_path / "a.png", tmp_path / "m.png"))
    assert rows["1", "area"].unit == "px2" and rows["1", "long_axis"].unit == "px"
    assert not any(row.unit in ("mm", "mm2", "ml") for row in rows.values())
    given = table(measure_files(tmp_path / "a.png", tmp_path / "m.png", options=MeasureOptions(pixel_size_mm=0.2)))
    assert given["1", "area"].value == pytest.approx(600 * 0.04) and given["1", "area"].unit == "mm2"
    small = mask[:50]
    write_png(small, tmp_path / "small.png")
    with pytest.raises(InputError, match="voxels"):
        measure_files(tmp_path / "a.png", tmp_path / "small.png")


def test_marked_places_are_measured_with_and_without_a_mask(files, tmp_path):
    marks = tmp_path / "marks.csv"
    marks.write_text(
        "label,measure,point,i,j,k\nL,distance,a,5,5,5\nL,distance,b,15,5,5\nP,profile,start,5,15,5\nP,profile,end,15,15,5\n"
    )
    rows = measure_files(files[0], None, landmarks=marks).rows
    (distance,) = [row for label, row in rows if label == "L"]
    assert (distance.name, distance.value, distance.unit) == ("distance", pytest.approx(10), "mm")
    profile = [row.value for label, row in rows if label == "P"]
    assert profile[0] == 100 and profile[-1] == 300 and len(profile) == 21
    assert len(measure_files(*files, landmarks=marks).rows) > len(rows)
    with pytest.raises(InputError, match="neither"):
        measure_files(files[0], None)


def test_places_in_a_picture_without_a_pixel_size_are_pixels_apart(tmp_path):
    write_png(np.zeros((40, 40), np.uint8) + np.arange(40, dtype=np.uint8), tmp_path / "a.png")
    marks = tmp_path / "marks.csv"
    marks.write_text("measure,point,i,j,k\ndistance,a,0,0,0\ndistance,b,30,0,0\n")
    ((_, row),) = measure_files(tmp_path / "a.png", None, landmarks=marks).rows
    assert (row.value, row.unit) == (30, "px")


def test_what_cannot_be_measured_is_one_line(files, tmp_path):
    with pytest.raises(InputError, match="voxels above 0"):
        measure_files(files[0], nifti(tmp_path / "empty.nii.gz", np.zeros(GRID.shape, np.uint8)))
    with pytest.raises(UnreadableError):
        measure_files(tmp_path / "none.nii.gz", files[1])
    with pytest.raises(InputError, match="states its own"):
        measure_files(*files, options=MeasureOptions(pixel_size_mm=0.5))


@pytest.fixture
def pet_files(tmp_path):
    """(**elements) -> a PET slice of 12 kBq/ml with a brighter square, an hour after injection, and its mask."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset

    def write(**changes):
        stored = np.full((30, 30), 6000, np.int16)
        stored[10:20, 10:20] = 12000
        item, dataset = Dataset(), Dataset()
        item.RadionuclideTotalDose, item.RadionuclideHalfLife = "370000000", "6586.2"
        item.RadiopharmaceuticalStartTime = "100000"
        for name, value in {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "SOPInstanceUID": "2.25.5", "StudyInstanceUID": "2.25.6",
            "SeriesInstanceUID": "2.25.7", "FrameOfReferenceUID": "2.25.8", "Modality": "PT", "Units": "BQML",
            "DecayCorrection": "START", "CorrectedImage": ["DECY", "ATTN"], "PatientWeight": "70", "PatientSex": "O",
            "SeriesDate": "20260102", "SeriesTime": "110000", "AcquisitionDate": "20260102",
            "AcquisitionTime": "110000", "ImagePositionPatient": ["0", "0", "0"], "SliceThickness": "3",
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "PixelSpacing": ["4", "4"], "Rows": 30,
            "Columns": 30, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "RescaleSlope": "1",
            "RescaleIntercept": "0", "RadiopharmaceuticalInformationSequence": [item], "InstanceNumber": 1, **changes,
        }.items():  # fmt: skip
            if value is not None:
                setattr(dataset, name, value)
        dataset.PixelData = stored.tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        dataset.save_as(tmp_path / "pet.dcm", enforce_file_format=True)
        write_png(((stored > 10000) * 255).astype(np.uint8), tmp_path / "mask.png")
        return tmp_path / "pet.dcm", tmp_path / "mask.png"

    return write


def test_activity_from_dicom_becomes_suv_by_the_header_and_the_table_says_how(pet_files):
    rows = table(measure_files(*pet_files()))
    assert rows["1", "suv_max"].value == pytest.approx(3.3160, abs=5e-5)  # the worked example of the rule
    assert "START" in rows["1", "suv_max"].method and "3600 s" in rows["1", "suv_max"].method
    assert ("1", "sul_max") not in rows
    at_injection = table(measure_files(*pet_files(DecayCorrection="ADMIN", PatientSex="F", PatientSize="1.65")))
    assert at_injection["1", "suv_max"].value == pytest.approx(12000 * 70e3 / 370e6)
    assert at_injection["1", "sul_max"].value == pytest.approx(12000 * 43.11e3 / 370e6, rel=1e-4)


@pytest.mark.parametrize("name", ["PatientWeight", "CorrectedImage", "DecayCorrection", "SeriesTime"])
def test_a_header_without_what_suv_takes_gives_no_suv_but_activity_on_request(pet_files, name):
    files = pet_files(**{name: None})
    with pytest.raises(InputError, match=name):
        measure_files(*files)
    stored = table(measure_files(*files, options=MeasureOptions(as_stored=True)))
    assert (stored["1", "activity_max"].value, stored["1", "activity_max"].unit) == (12000, "Bq/ml")


@pytest.mark.data
def test_pet_from_dicom_is_measured_as_suv_and_says_how(data_dir):
    mask = data_dir / "sts_ct_pet_mr_tumour" / "STS_008" / "PET_mask.nii.gz"
    rows = table(measure_files(data_dir / "dicom_series" / "sts_STS_008_PET", mask))
    twin = table(measure_files(mask.with_name("PET_image.nii.gz"), mask, options=MeasureOptions(unit="SUVbw")))
    for name in ("suv_max", "suv_mean", "suv_peak", "mtv_41", "tlg"):
        assert rows["1", name].value == pytest.approx(twin["1", name].value, rel=1e-3), name
    assert "GML" in rows["1", "suv_max"].method and rows["1", "suv_max"].unit == "g/ml"
    lean = rows["1", "sul_max"].value / rows["1", "suv_max"].value
    assert lean == pytest.approx(9270 / (8780 + 244 * 55 / 1.53**2), rel=1e-5)
