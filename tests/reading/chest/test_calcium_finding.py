from dataclasses import replace

import numpy as np

from isocenter.core.finding import ModelRef
from isocenter.imaging.segment.agatston import CalciumScore
from isocenter.imaging.segment.calcium import Calcium
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur
from isocenter.reading.chest.calcium_finding import calcium_finding

MODEL = ModelRef("chest-ct", "0.1.0", "sha256:0")
BOX = (slice(5, 9), slice(10, 14), slice(20, 24))


def _calcium(score):
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1:3, 1:3] = score > 0
    own = CalciumScore(score, 12.0, 1)
    return Calcium(own, mask, BOX, 5.0, False, 1, as_scanned=own, spread=0.0, blur=None)


def test_a_score_becomes_a_finding_with_its_category(axial):
    finding = calcium_finding(axial, _calcium(120.0), number=3, model=MODEL)
    assert finding.id == "F3"
    assert finding.measurement("agatston_score").value == 120
    assert finding.categories[0].value == "101-400"
    assert finding.evidence[0].frame == 6
    assert finding.evidence[0].voxels == 4


def test_no_calcium_is_no_finding(axial):
    assert calcium_finding(axial, _calcium(0.0), number=1, model=MODEL) is None


def test_noise_makes_a_score_less_certain(axial):
    quiet, noisy = (replace(_calcium(120.0), noise_hu=noise) for noise in (0.0, 30.0))
    spread = [calcium_finding(axial, c, number=1, model=MODEL).measurements[0].uncertainty for c in (quiet, noisy)]
    assert np.allclose(spread, (2.4, 11.4))


def test_a_score_without_the_scanners_blur_says_so_and_tells_the_one_as_scanned(axial):
    blurred = CalciumScore(133.4, 14.0, 1)
    calcium = replace(_calcium(120.0), as_scanned=blurred, spread=3.0, blur=ReconstructionBlur(1.0, 0.5))
    measured = calcium_finding(axial, calcium, number=1, model=MODEL).measurement("agatston_score")
    assert measured.value == 120
    assert np.isclose(measured.uncertainty, 5.4)
    assert "as scanned the score is 133" in measured.method
    assert "0.45 pixels" in measured.method
    assert "as scanned" not in calcium_finding(axial, _calcium(120.0), number=1, model=MODEL).measurements[0].method
