"""Segmentations that highdicom writes on a synthetic series, read back voxel by voxel."""

import numpy as np
import pytest

from isocenter.core.errors import FormatError, GeometryError
from isocenter.core.grid import Grid
from isocenter.io.dicom import read_series
from isocenter.io.dicom_segmentation import read_segmentation
from isocenter.io.inputs import InputFile

TILT = np.deg2rad(25)
AFFINE = Grid.of_spacing((6, 12, 14), (2.5, 0.8, 0.9), (-30.0, 12.5, 40.0)).affine
OBLIQUE = AFFINE.copy()
OBLIQUE[:3] = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]]) @ AFFINE[:3]
PERSON = {
    "PatientID": "P", "PatientName": "A^B", "PatientBirthDate": "19700101", "PatientSex": "F", "StudyDate": "20260101",
    "StudyTime": "101010", "AccessionNumber": "", "StudyID": "1", "ReferringPhysicianName": "", "SeriesNumber": 1,
    "Manufacturer": "M", "SliceThickness": "2.5", "PositionReferenceIndicator": "",
}  # fmt: skip


def masks():
    """Two boxes that share voxels, and one apart from them; (6, 12, 14, 3) bool."""
    found = np.zeros((6, 12, 14, 3), bool)
    found[1:4, 2:9, 3:8, 0] = True
    found[2:3, 5:11, 5:12, 1] = True
    found[4, 0, 0, 2] = found[5, 11, 13, 2] = True
    return found


@pytest.fixture
def write_seg(tmp_path, write_stack):
    """(pixels, type, affine=…) -> (the image, the segmentation's file, its data set)."""

    def write(pixels, kind, *, affine=AFFINE, change=None, syntax=None, omit=True):
        import highdicom
        from pydicom import dcmread
        from pydicom.sr.codedict import codes
        from pydicom.uid import ExplicitVRLittleEndian

        paths = write_stack(
            tmp_path / "ct", np.arange(6 * 12 * 14, dtype=np.int16).reshape(6, 12, 14), affine, **PERSON
        )
        described = [
            highdicom.seg.SegmentDescription(
                number, f"thing {number}", codes.SCT.Tissue, codes.SCT.Tissue,
                highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for number in range(1, (pixels.shape[-1] if pixels.ndim == 4 else 3) + 1)
        ]  # fmt: skip
        seg = highdicom.seg.Segmentation(
            [dcmread(path) for path in paths], pixels, kind, described, highdicom.UID(), 9, highdicom.UID(), 1,
            "M", "N", "1", "S", omit_empty_frames=omit, transfer_syntax_uid=syntax or ExplicitVRLittleEndian,
        )  # fmt: skip
        if change is not None:
            change(seg)
        seg.save_as(tmp_path / "seg.dcm")
        (image,) = read_series(paths)
        return image, InputFile(tmp_path / "seg.dcm", tmp_path / "seg.dcm", "dicom")

    return write


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE], ids=["axial", "oblique"])
@pytest.mark.parametrize("omit", [True, False])
def test_binary_segments_come_on_the_image_with_their_names_and_no_voxel_lost(write_seg, affine, omit):
    image, file = write_seg(masks(), "BINARY", affine=affine, omit=omit)
    found = read_segmentation(file, image)
    assert found.grid is image.grid and found.labels == (1, 2, 3)
    assert found.names == {1: "thing 1", 2: "thing 2", 3: "thing 3"}
    for number in (1, 2, 3):
        assert np.array_equal(found.mask_of(number).array, masks()[..., number - 1])


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE], ids=["axial", "oblique"])
def test_without_its_image_a_segmentation_lies_at_the_same_place_in_the_patient(write_seg, affine):
    image, file = write_seg(masks(), "BINARY", affine=affine)
    alone = read_segmentation(file)
    assert alone.grid.shape == (5, 12, 14)
    for number in (1, 2, 3):
        there = np.argwhere(alone.mask_of(number).array)
        here = image.grid.to_index(alone.grid.to_world_mm(there))
        assert np.allclose(here, np.argwhere(masks()[..., number - 1]), atol=1e-3)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"])
def test_a_fractional_voxel_is_inside_from_one_half(write_seg, syntax):
    shares = np.zeros((6, 12, 14))
    shares[2, 3, :4] = (0.2, 0.49, 0.51, 1.0)
    image, file = write_seg(shares[..., None], "FRACTIONAL", syntax=syntax)
    found = read_segmentation(file, image)
    assert np.argwhere(found.mask_of(1).array).tolist() == [[2, 3, 2], [2, 3, 3]]
    assert any("0.5" in note for note in found.notes)


def test_a_label_map_gives_its_numbers(write_seg):
    labels = np.zeros((6, 12, 14), np.uint8)
    labels[1:3, 2:5, 2:5], labels[3, 6:8, 6:8] = 1, 3
    image, file = write_seg(labels, "LABELMAP")
    found = read_segmentation(file, image)
    assert found.labels == (1, 3) and np.array_equal(found.to_labels().array, labels)
    assert found.names[3] == "thing 3"


def test_on_an_image_of_other_voxels_the_segmentation_keeps_its_own(write_seg):
    image, file = write_seg(masks(), "BINARY")
    from dataclasses import replace

    coarse = replace(image, array=image.array[::2], grid=Grid((3, 12, 14), AFFINE @ np.diag((2.0, 1, 1, 1))),
                     source=replace(image.source, instances=image.source.instances[::2]))  # fmt: skip
    found = read_segmentation(file, coarse)
    assert found.grid.shape == (5, 12, 14)
    assert found.grid.spacing_mm[0] == pytest.approx(2.5)


def test_a_segmentation_of_another_image_is_refused_by_the_name_of_the_element(write_seg):
    def elsewhere(seg):
        seg.FrameOfReferenceUID = "2.25.99"
        for group in seg.PerFrameFunctionalGroupsSequence:
            for item in group.DerivationImageSequence[0].SourceImageSequence:
                item.ReferencedSOPInstanceUID = "2.25.98"

    image, file = write_seg(masks(), "BINARY", change=elsewhere)
    with pytest.raises(GeometryError, match="FrameOfReferenceUID"):
        read_segmentation(file, image)
    assert read_segmentation(file).labels == (1, 2, 3)


def test_planes_at_uneven_places_are_refused(write_seg):
    def shift(seg):
        place = seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
        place.ImagePositionPatient = [*place.ImagePositionPatient[:2], float(place.ImagePositionPatient[2]) + 1.1]

    image, file = write_seg(masks()[..., :1], "BINARY", change=shift)
    with pytest.raises(GeometryError, match=r"every 2\.50 mm"):
        read_segmentation(file, image)


def test_damaged_or_tiled_segmentations_are_one_line(write_seg):
    image, file = write_seg(masks(), "BINARY", change=lambda seg: setattr(seg, "TotalPixelMatrixRows", 50))
    with pytest.raises(FormatError, match="slide"):
        read_segmentation(file, image)
    image, file = write_seg(masks(), "BINARY", change=lambda seg: seg.PerFrameFunctionalGroupsSequence.pop())
    with pytest.raises(FormatError, match="functional groups"):
        read_segmentation(file, image)
    image, file = write_seg(masks(), "BINARY", change=lambda seg: setattr(seg, "PixelData", seg.PixelData[:6]))
    with pytest.raises(FormatError, match="cut short"):
        read_segmentation(file, image)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "voxels"),
    [
        ("dcmqi/segmentations_liver.dcm", {1: 107098}),
        ("pydicom_data/liver_expb.dcm", {1: 107098}),
        ("pydicom_data/liver_nonbyte_aligned_deflate.dcm", {1: 107098}),
        ("dcmqi/sr-example_seg.dcm", {1: 795}),
        ("highdicom/seg_image_ct_binary_overlap.dcm", {1: 64, 2: 16}),
    ],
)
def test_other_programs_segmentations_are_read(data_dir, name, voxels):
    path = data_dir / "dicom_exotic" / name
    found = read_segmentation(InputFile(path, path, "dicom"))
    assert {number: found.mask_of(number).n_voxels for number in found.labels} == voxels


@pytest.mark.data
def test_dcmqis_example_lies_on_its_image(data_dir):
    folder = data_dir / "dicom_exotic" / "dcmqi"
    (image,) = read_series(sorted(folder.glob("segmentations_23x38x3_image_*.dcm")))
    path = folder / "segmentations_23x38x3_seg_label.seg.dcm"
    found = read_segmentation(InputFile(path, path, "dicom"), image)
    assert found.grid is image.grid and found.names == {1: "Liver"}
