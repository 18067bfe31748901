"""Masks as DICOM objects through the doors of the imaging tools."""

import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from isocenter.app.feature_files import open_region
from isocenter.app.image_files import open_image, open_labels, open_regions
from isocenter.app.measure_files import MeasureOptions, measure_files
from isocenter.app.region_files import choose_regions, describe_regions, read_drawn_regions
from isocenter.app.segment_files import segment_file
from isocenter.core.errors import GeometryError, InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.mask import Regions
from isocenter.core.volume import Volume
from isocenter.io.dicom import read_series

STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
SHAPE = (8, 40, 44)
STEPS = (3.0, 0.75, 0.75)


@pytest.fixture
def series(tmp_path):
    """A CT series of 8 slices, and what was drawn on it: (folder, draw)."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset

    grid = Grid.of_spacing(SHAPE, STEPS, (-16.0, -14.5, 100.0))

    def save(dataset, path):
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        dataset.save_as(path, enforce_file_format=True)

    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(SHAPE[0]):
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.77{k}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
        dataset.Modality, dataset.Rows, dataset.Columns = "CT", *SHAPE[1:]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 1
        dataset.ImagePositionPatient = ["-16", "-14.5", str(100 + 3 * k)]
        dataset.ImageOrientationPatient, dataset.PixelSpacing = ["1", "0", "0", "0", "1", "0"], ["0.75", "0.75"]
        dataset.PixelData = np.full(SHAPE[1:], 40 + k, np.int16).tobytes()
        dataset["PixelData"].VR = "OW"
        save(dataset, folder / f"{k}.dcm")

    def draw(regions, path, frame="2.25.3"):
        """regions: (name, [(slice, (n, 2) points as row and column)])."""
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = STRUCTURES, "2.25.5", "RTSTRUCT"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.1", "2.25.6"
        dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
        for number, (name, curves) in enumerate(regions, start=1):
            roi, drawn = Dataset(), Dataset()
            roi.ROINumber = drawn.ReferencedROINumber = number
            roi.ROIName, roi.ReferencedFrameOfReferenceUID = name, frame
            drawn.ContourSequence = []
            for k, points in curves:
                curve = Dataset()
                curve.ContourGeometricType, curve.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
                places = grid.to_world_mm(np.column_stack([np.full(len(points), k), points]))
                curve.ContourData = [f"{value:.4f}" for value in places.ravel()]
                drawn.ContourSequence.append(curve)
            dataset.StructureSetROISequence.append(roi)
            dataset.ROIContourSequence.append(drawn)
        save(dataset, path)
        return path

    return folder, draw


def circle(row, column, radius, n=360):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([row + radius * np.cos(angle), column + radius * np.sin(angle)], axis=1)


BALL = [(k, circle(20, 22, 12.2)) for k in range(2, 7)]
RING = [(k, curve) for k in range(1, 5) for curve in (circle(18, 20, 11.1), circle(18, 20, 6.3))]


def test_contours_become_regions_on_the_image_with_names_and_holes(series, tmp_path):
    folder, draw = series
    image = open_image(folder)
    found = open_regions(draw([("ball", BALL), ("ring", RING)], tmp_path / "rs.dcm"), image)
    assert found.grid is image.grid and describe_regions(found) == ('1 "ball"', '2 "ring"')
    areas = [found.mask_of(n).n_voxels for n in (1, 2)]
    assert areas[0] == pytest.approx(5 * np.pi * 12.2**2, rel=0.015)
    assert areas[1] == pytest.approx(4 * np.pi * (11.1**2 - 6.3**2), rel=0.01)
    assert not found.mask_of(2).array[2, 18, 20]


def test_overlapping_regions_are_measured_whole_or_chosen(series, tmp_path):
    folder, draw = series
    path, image = draw([("ball", BALL), ("ring", RING)], tmp_path / "rs.dcm"), open_image(folder)
    with pytest.raises(InputError, match="share no voxel"):
        open_labels(path, image)
    for wanted in ("Ball", "1"):
        assert open_labels(path, image, roi=[wanted]).labels == (1,)
    with pytest.raises(InputError, match="regions 1, 2, got none") as refused:
        open_labels(path, image, roi=["liver"])
    # Names are free text of the header, which no message holds.
    assert "ball" not in str(refused.value) and "ring" not in str(refused.value)


def test_two_regions_of_one_name_are_chosen_by_number(series, tmp_path):
    folder, draw = series
    found = open_regions(draw([("a", BALL), ("a", RING)], tmp_path / "rs.dcm"), open_image(folder))
    with pytest.raises(InputError, match="2 regions of that name"):
        choose_regions(found, ["a"])
    assert choose_regions(found, ["2"]).labels == (2,)
    assert isinstance(choose_regions(found, ()), Regions)


def test_a_structure_set_is_found_beside_its_image_and_in_a_zip(series, tmp_path):
    folder, draw = series
    image = open_image(folder)
    path = draw([("ball", BALL)], tmp_path / "rs.dcm")
    whole = open_regions(path, image).mask_of(1).n_voxels
    with zipfile.ZipFile(tmp_path / "rs.zip", "w") as archive:
        archive.write(path, "rs.dcm")
    assert open_regions(tmp_path / "rs.zip", image).mask_of(1).n_voxels == whole
    draw([("ball", BALL)], folder / "rs.dcm")
    assert open_image(folder).grid.shape == SHAPE
    assert open_regions(folder, image).mask_of(1).n_voxels == whole
    draw([("ball", BALL)], folder / "rs2.dcm")
    with pytest.raises(InputError, match="got 2"):
        open_regions(folder, image)
    assert read_drawn_regions(tmp_path / "ct" / "0.dcm") is None


def test_contours_of_another_patient_space_or_without_curves_are_refused(series, tmp_path):
    folder, draw = series
    image = open_image(folder)
    with pytest.raises(GeometryError, match="FrameOfReferenceUID"):
        open_regions(draw([("ball", BALL)], tmp_path / "rs.dcm", frame="2.25.4"), image)
    with pytest.raises(UnreadableError, match="CLOSED_PLANAR"):
        open_regions(draw([("nothing", [])], tmp_path / "rs.dcm"), image)


def test_contours_on_an_image_of_other_slices_keep_their_volume(series, tmp_path):
    path = series[1]([("ball", BALL)], tmp_path / "rs.dcm")
    truth_ml = 5 * 3 * math.pi * (12.2 * 0.75) ** 2 / 1000
    fine = Volume(np.zeros((24, 60, 66), np.int16), Grid.of_spacing((24, 60, 66), (1.0, 0.5, 0.5), (-16, -14.5, 100)))
    assert open_regions(path, fine).mask_of(1).volume_ml == pytest.approx(truth_ml, rel=0.01)
    turned = Grid((50, 30, 40), np.array([[0.75, 0, 0, -17], [0, 0, 1.0, -15], [0, 1.0, 0, 98], [0, 0, 0, 1]], float))
    across = open_regions(path, Volume(np.zeros(turned.shape, np.int16), turned))
    assert across.mask_of(1).volume_ml == pytest.approx(truth_ml, rel=0.01)
    assert any("their own planes" in note for note in across.notes)


def test_measure_features_and_segment_take_contours(series, tmp_path):
    folder, draw = series
    path = draw([("ball", BALL), ("ring", RING)], tmp_path / "rs.dcm")
    found = measure_files(folder, path, options=MeasureOptions(extras=("distance=1,2",)))
    rows = {(label, row.name): row for label, row in found.rows}
    assert found.regions == ('1 "ball"', '2 "ring"') and rows["1-2", "surface_distance"].value == 0
    assert rows["1", "volume"].value == pytest.approx(5 * 3 * math.pi * 9.15**2 / 1000, rel=0.015)
    assert rows["1", "hu_mean"].value == pytest.approx(44)
    assert 'region "ring"' in rows["2", "voxels"].method
    only = measure_files(folder, path, options=MeasureOptions(roi=("ring",)))
    assert {label for label, _ in only.rows} == {"2"}
    ball = open_region(folder, path, roi=["ball"])[1]
    assert np.array_equal(ball.array, open_region(folder, path, label="1")[1].array)
    with pytest.raises(InputError, match="got 1, 2; choose one"):
        open_region(folder, path)
    done = segment_file("kmeans", folder, tmp_path / "k.nii.gz", {"classes": "2", "mask": str(path)})
    assert (done.labels.array > 0).sum() == open_regions(path, open_image(folder)).any_mask.n_voxels


@pytest.mark.data
@pytest.mark.parametrize("name", ["CT", "PET", "MR_T1"])
def test_a_tumours_contours_are_its_reference_mask_voxel_by_voxel(data_dir, name):
    folder = data_dir / "dicom_series" / f"sts_STS_008_{name}"
    reference = open_labels(data_dir / "sts_ct_pet_mr_tumour" / "STS_008" / f"{name}_mask.nii.gz")
    found = open_regions(folder / "mask_RS.dcm", open_image(folder))
    assert found.names == {1: f"GTV_Mass_{name}"}
    there = np.argwhere(reference.array > 0)
    here = np.rint(found.grid.to_index(reference.grid.to_world_mm(there))).astype(int)
    assert {tuple(place) for place in here} == {tuple(place) for place in np.argwhere(found.mask_of(1).array)}


def test_the_readers_give_no_regions_for_an_image(series):
    folder, _ = series
    assert read_drawn_regions(folder) is None
    (volume,) = read_series(sorted(Path(folder).glob("*.dcm")))
    assert volume.grid.shape == SHAPE
