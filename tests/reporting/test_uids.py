from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.core.finding import Evidence
from isocenter.reporting.uids import content_uid, fingerprint, study_uid, tracking_uid


def test_a_uid_is_a_uuid_in_decimal_under_2_25():
    uid = content_uid("a", b"b")
    number = int(uid.removeprefix("2.25."))
    assert uid.startswith("2.25.") and len(uid) <= 44
    assert (number >> 76) & 0xF == 8 and (number >> 62) & 0b11 == 0b10  # RFC 9562: version 8, its variant


def test_where_one_part_ends_matters():
    assert content_uid("ab", "c") != content_uid("a", "bc")


def test_a_fingerprint_sees_one_changed_pixel_and_no_path(samples):
    report = samples.chest().report
    finding = report.findings[0]
    evidence = finding.evidence[0]
    array = evidence.mask.array.copy()
    array[0, 0, 0] = True
    changed = replace(evidence, mask=replace(evidence.mask, array=array))
    assert fingerprint(evidence) != fingerprint(changed)
    assert fingerprint((Path("a"),)) == fingerprint((Path("b"),))
    assert fingerprint(np.zeros(4, bool)) != fingerprint(np.zeros(8, bool))


def test_a_finding_keeps_its_tracking_uid_when_its_evidence_gets_a_file_name(samples):
    report = samples.chest().report
    finding = report.findings[0]
    named = replace(finding, evidence=(replace(finding.evidence[0], file="seg.dcm", series_uid="9.9"),))
    assert tracking_uid(report, finding) == tracking_uid(report, named)
    moved = replace(finding, evidence=(Evidence("box", box_index=((0, 0, 0), (1, 2, 2))),))
    assert tracking_uid(report, finding) != tracking_uid(report, moved)


def test_a_study_without_a_uid_gets_one_from_its_content(samples):
    dicom, plain = samples.breast().report, samples.breast(dicom=False).report
    assert study_uid(dicom) == "1.2.3.4"
    assert study_uid(plain).startswith("2.25.")


def test_the_same_pixels_in_another_slice_or_shape_are_another_mask():
    array = np.zeros((4, 5, 6), bool)
    array[1, 2, 3] = True
    assert fingerprint(array) == fingerprint(array.copy())
    assert fingerprint(array) != fingerprint(np.roll(array, 1, axis=0))
    assert fingerprint(array) != fingerprint(array.reshape(4, 6, 5))


def test_a_uid_is_the_same_on_every_machine():
    assert content_uid("a", b"b") == "2.25.80570676777572633702511940372177902698"
