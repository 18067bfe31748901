from dataclasses import replace

import numpy as np

from isocenter.core.finding import ModelRef
from isocenter.reading.chest.nodule_findings import nodule_findings, nodule_mask
from isocenter.reading.chest.patient_facts import PatientFacts

MODEL = ModelRef("chest-ct", "0.1.0", "sha256:0")


def test_a_ball_of_10_mm_is_a_finding_of_10_mm(axial, nodule, lungs):
    (finding,) = nodule_findings(axial, [nodule], lungs, facts=PatientFacts(age=60, risk="high"), model=MODEL)
    assert abs(finding.measurement("mean_diameter").value - 10) < 1e-6
    assert abs(finding.measurement("volume").value - np.pi / 6) < 1e-6
    assert finding.qualifiers["location"] == "right-upper-zone"
    assert finding.site.laterality == "R"
    assert np.allclose(finding.evidence[0].centre_lps_mm, (20, 24, 30))
    assert finding.evidence[0].frame == 30


def test_categories_follow_the_diameter(axial, nodule, lungs):
    (finding,) = nodule_findings(axial, [nodule], lungs, facts=PatientFacts(), model=MODEL)
    assert {c.rule: c.value for c in finding.categories} == {"fleischner_2017": ">8 mm", "lung_rads_2022": "4A"}


def test_the_mask_has_the_ellipsoids_volume(axial, nodule):
    mask, box = nodule_mask(nodule, axial)
    assert mask.shape == tuple(s.stop - s.start for s in box)
    assert abs(mask.sum() / (4 / 3 * np.pi * 125) - 1) < 0.05


def _larger(nodule):
    fit = replace(nodule.ellipsoid, shape=np.eye(3) / 36.0)
    return replace(nodule, ellipsoid=fit)


def test_the_largest_nodule_leads_and_the_others_do_not(axial, nodule, lungs):
    findings = nodule_findings(axial, [nodule, _larger(nodule)], lungs, facts=PatientFacts(), model=MODEL)
    assert [f.qualifiers["rank"] for f in findings] == ["other", "leading"]


def test_a_screening_scan_has_lung_rads_first_and_is_out_of_fleischners_scope(axial, nodule, lungs):
    facts = PatientFacts(age=60, screening=True)
    (finding,) = nodule_findings(axial, [nodule], lungs, facts=facts, model=MODEL)
    assert [c.rule for c in finding.categories] == ["lung_rads_2022", "fleischner_2017"]
    assert finding.qualifiers["setting"] == "screening"
    assert "out_of_scope" in finding.categories[1].flags


def test_a_nodule_on_the_pleura_counts_as_solid_and_says_that_its_margin_was_not_judged(axial, nodule, lungs):
    on_pleura = replace(nodule, around=replace(nodule.around, wall=0.4))
    (finding,) = nodule_findings(axial, [on_pleura], lungs, facts=PatientFacts(), model=MODEL)
    assert finding.qualifiers["margin"] == "margin-not-judged"
    assert {c.rule: c.value for c in finding.categories}["lung_rads_2022"] == "4A"
