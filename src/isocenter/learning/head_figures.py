"""Which heads the reading would measure, and how well those are measured; needs no torch."""

from collections.abc import Mapping, Sequence

import numpy as np

from isocenter.core.card import ModelCard, Performance
from isocenter.evaluation.intervals import Estimate, bootstrap_mean, wilson
from isocenter.imaging.segment.head_ellipse import check_fit
from isocenter.learning.head_cases import HeadCase
from isocenter.zoo.ood import ood_score


def is_answered(card: ModelCard, case: HeadCase) -> bool:
    """Whether the reading would measure this case: familiar, and with a fit that holds."""
    score, limit = ood_score(card, {"features": case.features[np.newaxis]})
    limits = card.parameters["fit_limits"]
    return bool(score[0] <= limit) and isinstance(limits, Mapping) and has_good_fit(case, limits)


def has_good_fit(case: HeadCase, limits: Mapping[str, float]) -> bool:
    """Whether there is an ellipse that holds by a card's limits."""
    return case.fit is not None and all(check.passed for check in check_fit(case.fit.quality, limits))


def head_figures(card: ModelCard, cases: Sequence[HeadCase], split: str) -> list[Performance]:
    """Overlap and circumference of the cases that are answered, and the share that is not."""
    answered = [case for case in cases if is_answered(card, case)]
    groups = [case.group for case in answered]
    rng = np.random.default_rng(0)
    error = np.array([case.error_mm for case in answered])
    columns = {
        "dice": np.array([case.overlap for case in answered]),
        "circumference-absolute-error-mm": np.abs(error),
        "circumference-bias-mm": error,
    }
    figures = [head_figure(name, bootstrap_mean(v, rng=rng, groups=groups), split) for name, v in columns.items()]
    return [*figures, head_figure("abstained", wilson(len(cases) - len(answered), len(cases)), split)]


def head_figure(name: str, estimate: Estimate, split: str) -> Performance:
    """A measured figure of the card."""
    low, high = min(estimate.low, estimate.value), max(estimate.high, estimate.value)
    return Performance(name, estimate.value, low, high, estimate.n, split)
