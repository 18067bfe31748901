from dataclasses import replace

import highdicom
import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.finding import Code, Evidence, Site
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Source
from isocenter.io.dicom_segmentation import read_segmentation
from isocenter.io.inputs import InputFile
from isocenter.reporting.dicom_sc import build_secondary_capture
from isocenter.reporting.dicom_seg import build_seg, seg_uid, segments_of


def _seg(sample, **options):
    headers = sample.headers or {"": build_secondary_capture(sample.volume, sample.report)}
    return build_seg(sample.report, [sample.volume], headers, **options)


def _two_nodules(samples):
    sample = samples.chest()
    first = sample.report.findings[0]
    array = np.zeros_like(first.evidence[0].mask.array)
    array[4:7, 30:37, 5:9] = True
    array[5, 20, 40] = True  # overlaps the first one
    mask = Mask(array, first.evidence[0].mask.grid)
    second = replace(
        first, id="F2", site=Site(Code("SCT", "39607008", "Lung")), evidence=(replace(first.evidence[0], mask=mask),)
    )
    return replace(sample, report=replace(sample.report, findings=(first, second)))


def test_another_library_reads_the_masks_back_pixel_for_pixel(samples, as_written):
    sample = _two_nodules(samples)
    seg = highdicom.seg.segread(as_written(_seg(sample)))
    uids = [instance.sop_uid for instance in sample.volume.source.instances]
    pixels = seg.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    for number, finding in enumerate(sample.report.findings):
        assert np.array_equal(pixels[..., number].astype(bool), finding.evidence[0].mask.array)


def test_our_own_reader_gives_the_masks_back_on_the_image(samples, as_written, tmp_path):
    sample = _two_nodules(samples)
    path = tmp_path / "seg.dcm"
    path.write_bytes(as_written(_seg(sample)).getvalue())
    found = read_segmentation(InputFile(path, path, "dicom"), sample.volume)
    assert found.grid is sample.volume.grid and found.names == {1: "F1 Nodule", 2: "F2 Nodule"}
    for number, finding in enumerate(sample.report.findings, start=1):
        assert np.array_equal(found.mask_of(number).array, finding.evidence[0].mask.array)


def test_segments_say_what_where_by_whom(samples, as_written):
    sample = samples.chest()
    seg = highdicom.seg.segread(as_written(_seg(sample)))
    segment = seg.get_segment_description(1)
    assert segment.segment_label == "F1 Nodule" and segment.tracking_id == "F1"
    assert segment.segmented_property_category.meaning == "Morphologically Abnormal Structure"
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    assert segment.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Right"
    fetal = _seg(samples.fetal()).SegmentSequence[0]
    assert fetal.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Anatomical Structure"
    assert fetal.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Fetal Cranium"


def _tilted(grid: Grid) -> Grid:
    turn = np.deg2rad(20)
    rotation = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine = grid.affine.copy()
    affine[:3, :3] = rotation @ affine[:3, :3][:, ::1] * [1, -1, 1]
    return Grid(grid.shape, affine)


def test_every_voxel_keeps_its_place_in_the_patient_on_an_oblique_grid(samples, as_written):
    sample = samples.chest()
    grid = _tilted(sample.volume.grid)
    finding = sample.report.findings[0]
    mask = Mask(finding.evidence[0].mask.array, grid)
    finding = replace(finding, evidence=(replace(finding.evidence[0], mask=mask),))
    sample = replace(
        sample, volume=replace(sample.volume, grid=grid), report=replace(sample.report, findings=(finding,))
    )
    volume = highdicom.seg.segread(as_written(_seg(sample))).get_volume(combine_segments=True)
    stored = np.argwhere(volume.array)
    places = np.c_[stored, np.ones(len(stored))] @ volume.affine.T
    expected = grid.to_world_mm(np.argwhere(mask.array))
    order = lambda points: points[np.lexsort(np.round(points, 3).T)]  # noqa: E731
    assert np.allclose(order(places[:, :3]), order(expected), atol=1e-3)


@pytest.mark.parametrize("name", ["chest", "enhanced", "ultrasound_cine", "fetal"])
def test_the_validator_finds_no_error(samples, dicom_errors, name):
    assert dicom_errors(_seg(getattr(samples, name)())) == []


def test_a_frame_of_an_enhanced_object_is_found_by_its_number(samples, as_written):
    sample = samples.enhanced()
    seg = highdicom.seg.segread(as_written(_seg(sample)))
    n = sample.volume.grid.shape[0]
    pixels = seg.get_pixels_by_source_frame("1.2.3.4.5.77", list(range(1, n + 1)), assert_missing_frames_are_empty=True)
    assert np.array_equal(pixels[::-1, ..., 0].astype(bool), sample.report.findings[0].evidence[0].mask.array)


def test_a_frame_of_a_loop_is_the_one_that_was_read(samples, as_written):
    seg = _seg(samples.ultrasound_cine())
    source = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedFrameNumber == 4 and "FrameOfReferenceUID" not in seg
    highdicom.seg.segread(as_written(seg))


def test_a_plain_picture_is_segmented_on_its_secondary_capture(samples, as_written):
    sample = samples.fetal(spacing_known=False)
    capture = build_secondary_capture(sample.volume, sample.report)
    seg = build_seg(sample.report, [sample.volume], {"": capture})
    assert "PixelMeasuresSequence" not in seg.SharedFunctionalGroupsSequence[0]
    read = highdicom.seg.segread(as_written(seg))
    pixels = read.get_pixels_by_source_instance([capture[0].SOPInstanceUID])
    assert np.array_equal(pixels[..., 0].astype(bool), sample.report.findings[0].evidence[0].mask.array)


def test_a_nifti_volume_keeps_its_place_through_its_secondary_capture(samples, dicom_errors, as_written):
    sample = samples.chest()
    volume = replace(sample.volume, source=Source("nifti", digests=("sha256:" + "2" * 64,)))
    finding = sample.report.findings[0]
    finding = replace(finding, evidence=(replace(finding.evidence[0], series_uid=""),))
    report = replace(sample.report, findings=(finding,))
    capture = build_secondary_capture(volume, report)
    seg = build_seg(report, [volume], {"": capture})
    assert seg.FrameOfReferenceUID == capture[0].FrameOfReferenceUID
    assert dicom_errors(seg) == []
    stored = highdicom.seg.segread(as_written(seg)).get_volume(combine_segments=True)
    centre = (np.argwhere(stored.array).mean(axis=0) @ stored.affine[:3, :3].T) + stored.affine[:3, 3]
    assert np.allclose(centre, finding.evidence[0].centre_lps_mm, atol=1e-3)


def test_a_resampled_mask_does_not_claim_the_source_pixels(samples):
    sample = samples.chest()
    for header in sample.headers["1.2.3.4.5"]:
        header.ImagePositionPatient = [-20.0, -25.0, header.ImagePositionPatient[2]]
    frame = _seg(sample).PerFrameFunctionalGroupsSequence[0]
    assert frame.DerivationImageSequence[0].SourceImageSequence[0].SpatialLocationsPreserved == "NO"


def test_the_same_report_gives_the_same_bytes_and_no_uid_of_chance(samples, as_written):
    one, other = as_written(_seg(samples.chest())), as_written(_seg(samples.chest()))
    assert one.getvalue() == other.getvalue()
    later = replace(samples.chest(), report=replace(samples.chest().report, created="2027-01-02T03:04:05Z"))
    uid = {
        name: seg_uid(r, segments_of(r)[1]) for name, r in (("now", samples.chest().report), ("later", later.report))
    }
    assert uid["now"] == uid["later"] == _seg(samples.chest()).SOPInstanceUID
    assert _seg(_two_nodules(samples)).SOPInstanceUID != uid["now"]


def test_patient_and_study_are_those_of_the_source_unless_withheld(samples):
    shown, hidden = _seg(samples.chest()), _seg(samples.chest(), identity=False)
    assert str(shown.PatientName) == samples.NAME and shown.StudyInstanceUID == "1.2.3.4"
    assert str(hidden.PatientName) == hidden.PatientID == hidden.PatientBirthDate == ""


def test_without_a_mask_there_is_no_segmentation(samples):
    assert _seg(samples.breast()) is None
    sample = samples.chest()
    finding = sample.report.findings[0]
    empty = Mask(np.zeros(sample.volume.grid.shape, bool), sample.volume.grid)
    finding = replace(finding, evidence=(Evidence("mask", "1.2.3.4.5", mask=empty),))
    assert segments_of(replace(sample.report, findings=(finding,))) == ("", ())


def test_missing_headers_are_named(samples):
    sample = samples.chest()
    with pytest.raises(InputError, match="headers"):
        build_seg(sample.report, [sample.volume], {})
    with pytest.raises(InputError, match="headers"):
        build_seg(sample.report, [sample.volume], {"1.2.3.4.5": sample.headers["1.2.3.4.5"][:2]})
