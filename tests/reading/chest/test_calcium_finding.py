from dataclasses import replace

import numpy as np

from isocenter.core.finding import ModelRef
from isocenter.imaging.segment.agatston import CalciumScore
from isocenter.imaging.segment.calcium import Calcium
from isocenter.reading.chest.calcium_finding import calcium_finding

MODEL = ModelRef("chest-ct", "0.1.0", "sha256:0")
BOX = (slice(5, 9), slice(10, 14), slice(20, 24))


def _calcium(score):
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1:3, 1:3] = score > 0
    return Calcium(CalciumScore(score, 12.0, 1), mask, BOX, 5.0, False, 1)


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
