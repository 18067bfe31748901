"""Breast ultrasound: normal, benign or malignant, with the region that contributed most and an estimated BI-RADS."""

from typing import Literal

import numpy as np

from isocenter.core.finding import Category, Evidence, Finding, Measurement, Site
from isocenter.core.reading import Abstention, Figure, QualityCheck, Reading
from isocenter.core.volume import Volume
from isocenter.explain.cam import class_map, region_box
from isocenter.imaging.intensity import display_uint8
from isocenter.imaging.overlay import draw_box, draw_heat_map, upscale
from isocenter.imaging.prepare import restore
from isocenter.knowledge.rules import apply_rule
from isocenter.knowledge.terms import term
from isocenter.reading.classify import Classified, classify, gate, recognised_as, strangeness_check
from isocenter.reading.task import Case, Task
from isocenter.reading.tasks.intake import picture_term
from isocenter.zoo.predict import Model

NAME = "breast-us"
# Share of the heat that the box must hold; half the positive evidence is the usual reading of "the region".
REGION_SHARE = 0.5


def _read(image: Volume, case: Case) -> Reading:
    checks, refused = gate(NAME, image)
    if refused:
        return refused
    model = case.models.get(NAME)
    seen = classify(model, image)
    quality = (*checks, strangeness_check(seen))
    reason = _reason_not_to_answer(image, seen, case)
    if reason is not None:
        return Reading(NAME, image.source.series_uid, abstained=reason, quality=quality, models=(model.ref,))
    return _answer(image, seen, model, case, quality)


def _reason_not_to_answer(image: Volume, seen: Classified, case: Case) -> Abstention | None:
    """Foreign to this model, or recognised by the router as something else."""
    if not seen.is_familiar or seen.top not in seen.proper:
        values = {"task": NAME, "score": f"{seen.strangeness:.3g}", "limit": f"{seen.limit:.3g}"}
        return Abstention("out-of-distribution", values)
    other = recognised_as(image, case, TASK.routes)
    return Abstention("wrong-content", {"task": NAME, "got": picture_term(other)}) if other else None


def _answer(image: Volume, seen: Classified, model: Model, case: Case, quality: tuple[QualityCheck, ...]) -> Reading:
    heat = _heat(image, seen, model)
    box = region_box(heat, REGION_SHARE)
    finding = _finding(image, seen, model, box)
    return Reading(
        NAME,
        image.source.series_uid,
        "US",
        "BREAST",
        findings=(finding,),
        quality=quality,
        figures=_figures(image, heat, box) if case.explain else (),
        predictions={f"p_{name}": probability for name, probability in seen.proper.items()},
        models=(model.ref,),
        parameters={"explanation": "cam", "region_share": REGION_SHARE, "runtime": model.predictor.runtime},
    )


def _heat(image: Volume, seen: Classified, model: Model) -> np.ndarray:
    """Class activation of the answer on the image's own pixels, (rows, columns), 0…1."""
    column = model.card.classes.index(seen.answer)
    heat = class_map(seen.outputs, column, shape=seen.prepared.array.shape[-2:])
    return np.asarray(restore(heat, seen.prepared, image.grid)[0])


def _finding(image: Volume, seen: Classified, model: Model, box: tuple[tuple[int, int], tuple[int, int]]) -> Finding:
    is_normal = seen.answer == "normal"
    category = _category(seen, is_normal=is_normal)
    qualifiers = {"kind": "breast-lesion", "class": seen.answer}
    if is_normal:
        qualifiers |= {"kind": "breast-normal", "verdict": "clear" if category.value == "1" else "mixed"}
    (top, left), (bottom, right) = box
    return Finding(
        id="F1",
        task=NAME,
        code=term("breast-normal" if is_normal else "breast-lesion").code,
        site=Site(term("breast").code, _side(image)),
        evidence=(Evidence("box", image.source.series_uid, box_index=((0, top, left), (1, bottom, right))),),
        measurements=(_malignancy(seen, model),),
        probability=seen.proper[seen.answer],
        # Class and probability contradict each other: a category would take one side.
        categories=() if qualifiers.get("verdict") == "mixed" else (category,),
        model=model.ref,
        qualifiers=qualifiers,
    )


def _malignancy(seen: Classified, model: Model) -> Measurement:
    known = term("probability_of_malignancy")
    method = f"calibrated probability by {model.ref.name} {model.ref.version}"
    return Measurement(known.key, seen.proper["malignant"], "1", known.code, method)


def _category(seen: Classified, *, is_normal: bool) -> Category:
    inputs = {"probability": seen.proper["malignant"], "lesion": 0 if is_normal else 1}
    return apply_rule("bi_rads_ai_estimated", inputs)


def _side(image: Volume) -> Literal["L", "R", "B"] | None:
    """Laterality, where the header states it."""
    sides: dict[str, Literal["L", "R", "B"]] = {"L": "L", "R": "R", "B": "B"}
    return sides.get(image.facts.laterality)


def _figures(image: Volume, heat: np.ndarray, box: tuple[tuple[int, int], tuple[int, int]]) -> tuple[Figure, ...]:
    picture, factor = upscale(display_uint8(image, 0))
    enlarged, _ = upscale(heat)
    (top, left), (bottom, right) = box
    corners = ((top * factor, left * factor), (bottom * factor, right * factor))
    marked = draw_box(draw_heat_map(picture, np.clip(enlarged, 0, 1)), corners)
    return (Figure("F1-heat-map", marked, "heat-map", {"method": "CAM"}, "F1"),)


TASK = Task(
    name=NAME,
    dimension="2d",
    modalities=frozenset({"US", "OT", "SC"}),
    body_parts=frozenset({"BREAST", "LBREAST", "RBREAST", "MAMMA"}),
    routes=frozenset({"BreastUS"}),
    models=("breast-us", "intake"),
    columns=("p_benign", "p_malignant", "p_normal"),
    read=_read,
)
