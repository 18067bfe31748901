"""One image through one classifier: prepared, run, calibrated, held against what the model knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isocenter.core.reading import QualityCheck, Reading
from isocenter.core.volume import Volume
from isocenter.imaging.prepare import Prepared, prepare
from isocenter.imaging.quality import check_image
from isocenter.reading.task import Case, abstain
from isocenter.zoo.predict import Model, ood_score, probabilities

# The router must be this sure of another body part before it overrules a task that was asked for.
OTHER_LIMIT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """What a classifier says of one image.

    probabilities   by class, calibrated, over every class of the card
    proper          the classes that are an answer, renormalised; the others stand for foreign pictures
    strangeness     out-of-distribution score; above `limit` nobody should answer
    """

    probabilities: Mapping[str, float]
    proper: Mapping[str, float]
    strangeness: float
    limit: float
    prepared: Prepared = field(repr=False)
    outputs: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def top(self) -> str:
        """The most probable class of all."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])

    @property
    def answer(self) -> str:
        """The most probable class among those that are an answer."""
        return max(self.proper, key=lambda name: self.proper[name])

    @property
    def is_familiar(self) -> bool:
        """Whether the image looks like what the model has learnt from."""
        return self.strangeness <= self.limit


def classify(model: Model, image: Volume) -> Classified:
    """One image through one classifier, by the model's card."""
    card = model.card
    prepared = prepare(image, card.prepare)
    outputs = model.predictor.run(prepared.array[np.newaxis])
    every = dict(zip(card.classes, (float(p) for p in probabilities(card, outputs)[0]), strict=True))
    listed = card.parameters.get("proper", card.classes)
    names = [str(name) for name in listed] if isinstance(listed, list | tuple) else list(card.classes)
    total = sum(every[name] for name in names) or 1.0
    score, limit = ood_score(card, outputs)
    proper = {name: every[name] / total for name in names}
    return Classified(every, proper, float(score[0]), limit, prepared, outputs)


def gate(task: str, image: Volume) -> tuple[tuple[QualityCheck, ...], Reading | None]:
    """The quality checks of an image, and a reading that abstains if one of them fails."""
    checks = check_image(image)
    failed = next((check for check in checks if not check.passed), None)
    if failed is None:
        return checks, None
    refused = abstain(task, image, "quality", check=f"quality-{failed.name}")
    return checks, Reading(task, refused.series_uid, abstained=refused.abstained, quality=checks)


def recognised_as(image: Volume, case: Case, routes: frozenset[str]) -> str | None:
    """What the router takes the image for, where it is sure that it is none of a task's pictures; else None."""
    routed = classify(case.models.get("intake"), image)
    is_other = routed.top not in routes and routed.probabilities[routed.top] >= OTHER_LIMIT
    return routed.top if is_other else None


def strangeness_check(seen: Classified) -> QualityCheck:
    """The out-of-distribution score as one of the report's checks."""
    return QualityCheck("familiarity", seen.strangeness, seen.limit, seen.is_familiar)
