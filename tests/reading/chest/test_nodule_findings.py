import numpy as np

from isocenter.core.finding import ModelRef
from isocenter.reading.chest.nodule_findings import nodule_findings, nodule_mask

MODEL = ModelRef("chest-ct", "0.1.0", "sha256:0")


def test_a_ball_of_10_mm_is_a_finding_of_10_mm(axial, nodule, lungs):
    (finding,) = nodule_findings(axial, [nodule], lungs, context={"age": 60, "risk": "high"}, model=MODEL)
    assert abs(finding.measurement("mean_diameter").value - 10) < 1e-6
    assert abs(finding.measurement("volume").value - np.pi / 6) < 1e-6
    assert finding.qualifiers["location"] == "right-upper-zone"
    assert finding.site.laterality == "R"
    assert np.allclose(finding.evidence[0].centre_lps_mm, (20, 24, 30))
    assert finding.evidence[0].frame == 30


def test_categories_follow_the_diameter(axial, nodule, lungs):
    (finding,) = nodule_findings(axial, [nodule], lungs, context={}, model=MODEL)
    assert {c.rule: c.value for c in finding.categories} == {"fleischner_2017": ">8 mm", "lung_rads_2022": "4A"}


def test_the_mask_has_the_ellipsoids_volume(axial, nodule):
    mask, box = nodule_mask(nodule, axial)
    assert mask.shape == tuple(s.stop - s.start for s in box)
    assert abs(mask.sum() / (4 / 3 * np.pi * 125) - 1) < 0.05
