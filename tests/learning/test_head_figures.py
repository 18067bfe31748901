from dataclasses import replace

import numpy as np

from isocenter.core.card import ModelCard
from isocenter.evaluation.intervals import Estimate
from isocenter.imaging.segment.head_ellipse import HeadEllipse, HeadFit
from isocenter.learning.head_cases import HeadCase
from isocenter.learning.head_figures import head_figure, head_figures, is_answered

OOD = {"method": "mahalanobis", "mean": [[0.0, 0.0]], "whitening": [[1.0, 0.0], [0.0, 1.0]], "limit": 4.0}
CARD = ModelCard(
    "m", "1.0.0", "t", "segmentation", "US", "", "tests", ("none",), (), (1, 8, 8), (), {}, "CC0", {}, ood=OOD,
    parameters={"fit_limits": {"min_overlap": 0.9}},
)  # fmt: skip
FIT = HeadFit(HeadEllipse(np.zeros(2), np.eye(2)), {"overlap": 0.95})
GOOD = HeadCase("a", "a", FIT, np.zeros(2), 0.97, -2.0, 180.0)


def test_a_familiar_case_with_a_good_fit_is_answered_and_others_are_not():
    assert is_answered(CARD, GOOD)
    assert not is_answered(CARD, replace(GOOD, features=np.array([2.0, 1.0])))
    assert not is_answered(CARD, replace(GOOD, fit=None))
    assert not is_answered(CARD, replace(GOOD, fit=HeadFit(FIT.ellipse, {"overlap": 0.85})))


def test_figures_are_of_the_answered_cases_and_count_the_others():
    cases = [GOOD, replace(GOOD, key="b", group="b", error_mm=4.0), replace(GOOD, fit=None, group="c")]
    figures = {each.metric: each for each in head_figures(CARD, cases, "test")}
    assert figures["circumference-absolute-error-mm"].value == 3.0
    assert figures["circumference-bias-mm"].value == 1.0
    assert figures["abstained"].value == 1 / 3
    assert figures["dice"].n == 2


def test_a_figure_stays_inside_its_interval():
    figure = head_figure("x", Estimate(0.5, 0.6, 0.7, 3), "test")
    assert figure.low == 0.5
