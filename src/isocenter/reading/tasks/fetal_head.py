"""Fetal head ultrasound: outline, ellipse, diameters where the pixel size is known, gestational age."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import PackageError
from isocenter.core.finding import Category, Evidence, Finding, Measurement, Site
from isocenter.core.mask import Mask
from isocenter.core.reading import Abstention, Figure, QualityCheck, Reading
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import display_uint8
from isocenter.imaging.overlay import draw_ellipse, upscale
from isocenter.imaging.prepare import Prepared, prepare
from isocenter.imaging.segment.head_ellipse import HeadFit, HeadMeasures, check_fit, fit_head, measure_head
from isocenter.knowledge.calculators import gestational_age_weeks
from isocenter.knowledge.rules import apply_rule
from isocenter.knowledge.terms import term
from isocenter.reading.classify import gate, recognised_as
from isocenter.reading.task import Case, Task
from isocenter.reading.tasks.intake import picture_term
from isocenter.zoo.predict import Model, ood_score

NAME = "fetal-head"
AGE_RULE = "gestational_age_hadlock_1984"
# Each measurement, the attribute of HeadMeasures that holds its uncertainty, and how it is made.
_SIZES = (
    ("head_circumference", "circumference_sd_mm", "perimeter of the fitted ellipse (Ramanujan)"),
    ("biparietal_diameter", "biparietal_sd_mm", "shorter axis of the fitted ellipse"),
    ("occipitofrontal_diameter", "occipitofrontal_sd_mm", "longer axis of the fitted ellipse"),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The model's look at one image. fit: None where no ellipse came out."""

    model: Model
    prepared: Prepared
    logits: np.ndarray = field(repr=False)
    checks: tuple[QualityCheck, ...]
    fit: HeadFit | None


def _read(image: Volume, case: Case) -> Reading:
    checks, refused = gate(NAME, image)
    if refused:
        return refused
    seen = _look(image, case.models.get(NAME))
    quality = (*checks, *seen.checks)
    failed = next((check for check in seen.checks if not check.passed), None)
    if seen.fit is None or failed is not None:
        reason = _reason(failed)
        return Reading(NAME, image.source.series_uid, abstained=reason, quality=quality, models=(seen.model.ref,))
    other = recognised_as(image, case, TASK.routes)
    if other:
        wrong = Abstention("wrong-content", {"task": NAME, "got": picture_term(other)})
        return Reading(NAME, image.source.series_uid, abstained=wrong, quality=quality, models=(seen.model.ref,))
    finding, sizes = _finding(image, seen.fit, seen.model)
    return Reading(
        NAME,
        image.source.series_uid,
        "US",
        "FETUS",
        findings=(finding,),
        quality=quality,
        figures=_figures(image, seen.fit) if case.explain else (),
        predictions={} if sizes is None else {f"{name}_mm": getattr(sizes, f"{name}_mm") for name, *_ in _SIZES},
        models=(seen.model.ref,),
        parameters={
            "pixel_size": image.grid.spacing_source,
            "runtime": seen.model.predictor.runtime,
            "precision": seen.model.predictor.precision,
        },
    )


def _look(image: Volume, model: Model) -> _Seen:
    """The head's map, its ellipse, and every check that the card asks for."""
    prepared = prepare(image, model.card.prepare)
    outputs = model.predictor.run(prepared.array[np.newaxis])
    score, limit = ood_score(model.card, outputs)
    checks = [QualityCheck("familiarity", float(score[0]), limit, bool(score[0] <= limit))]
    logits = np.asarray(outputs["logits"][0, 0])
    fit = fit_head(logits, prepared.to_source, image.grid.shape[1:])
    if fit is not None:
        checks += check_fit(fit.quality, _fit_limits(model))
    return _Seen(model, prepared, logits, tuple(checks), fit)


def _fit_limits(model: Model) -> Mapping[str, float]:
    limits = model.card.parameters.get("fit_limits")
    if not isinstance(limits, Mapping):
        raise PackageError(f"card of {model.card.name}: expected parameters.fit_limits, found none")
    return {str(name): float(str(value)) for name, value in limits.items()}


def _parameter(model: Model, name: str) -> float:
    return float(str(model.card.parameters.get(name, 0.0)))


def _reason(failed: QualityCheck | None) -> Abstention:
    """Why no head was measured: unlike the training images, or a fit that does not hold."""
    if failed is not None and failed.name == "familiarity":
        values = {"task": NAME, "score": f"{failed.value:.3g}", "limit": f"{failed.limit:.3g}"}
        return Abstention("out-of-distribution", values)
    return Abstention("failed-fit", {"check": f"quality-{failed.name if failed else 'outline'}"})


def _finding(image: Volume, fit: HeadFit, model: Model) -> tuple[Finding, HeadMeasures | None]:
    """The head with its mask; sizes and age only where millimetres are real."""
    sizes = None
    if image.grid.spacing_known:
        _, row_mm, column_mm = image.grid.spacing_mm
        margin, spread = _parameter(model, "margin_px"), _parameter(model, "relative_sd")
        sizes = measure_head(fit.ellipse, float(row_mm), float(column_mm), margin_px=margin, relative_sd=spread)
    measured, categories, qualifiers = _age(sizes) if sizes else ((), (), {"size": "unknown"})
    rows, columns = image.grid.shape[1:]
    mask = Mask(fit.ellipse.mask((rows, columns))[np.newaxis], image.grid)
    centre = (0.0, float(fit.ellipse.centre[0]), float(fit.ellipse.centre[1]))
    world = image.grid.to_world_mm(np.array(centre)) if image.grid.position_known else None
    evidence = Evidence(
        "mask",
        image.source.series_uid,
        voxels=mask.n_voxels,
        mask=mask,
        centre_lps_mm=None if world is None else (float(world[0]), float(world[1]), float(world[2])),
    )
    finding = Finding(
        id="F1",
        task=NAME,
        code=term("fetal-head").code,
        site=Site(term("fetus").code),
        evidence=(evidence,),
        measurements=measured,
        categories=categories,
        model=model.ref,
        qualifiers={"kind": "fetal-head", **qualifiers},
    )
    return finding, sizes


def _age(sizes: HeadMeasures) -> tuple[tuple[Measurement, ...], tuple[Category, ...], dict[str, str]]:
    """Sizes, and the age with its range where the formula holds."""
    measured = [
        Measurement(name, getattr(sizes, f"{name}_mm"), "mm", term(name).code, method, getattr(sizes, sd) or None)
        for name, sd, method in _SIZES
    ]
    rule = apply_rule(AGE_RULE, {"hc_mm": sizes.head_circumference_mm})
    age = gestational_age_weeks(sizes.head_circumference_mm)
    if age is None:
        return tuple(measured), (rule,), {"age": "outside"}
    code, method = term("gestational_age").code, "Hadlock 1984, from the head circumference"
    low, high = age.range_weeks
    measured += [
        Measurement("gestational_age", age.weeks, "wk", code, method, age.two_sd_weeks / 2),
        Measurement("gestational_age_low", low, "wk", code, f"{method}, two standard deviations below"),
        Measurement("gestational_age_high", high, "wk", code, f"{method}, two standard deviations above"),
    ]
    return tuple(measured), (rule,), {}


def _figures(image: Volume, fit: HeadFit) -> tuple[Figure, ...]:
    picture, factor = upscale(display_uint8(image, 0))
    centre, axes = (fit.ellipse.centre + 0.5) * factor - 0.5, fit.ellipse.axes * factor
    longer, shorter = np.linalg.norm(axes, axis=0)
    angle_deg = float(np.degrees(np.arctan2(axes[0, 0], axes[1, 0])))
    place = (float(centre[0]), float(centre[1]))
    marked = draw_ellipse(picture, place, (float(longer), float(shorter)), angle_deg)
    return (Figure("F1-ellipse", marked, "ellipse", {}, "F1"),)


TASK = Task(
    name=NAME,
    dimension="2d",
    modalities=frozenset({"US", "OT", "SC"}),
    body_parts=frozenset({"FETUS", "FETAL", "FETALHEAD", "FETAL HEAD", "OBSTETRIC"}),
    routes=frozenset({"FetalUS"}),
    models=("fetal-head", "intake"),
    columns=("head_circumference_mm", "biparietal_diameter_mm", "occipitofrontal_diameter_mm"),
    read=_read,
)
