"""Chest CT: solid nodule candidates, calcium of heart and aorta. No trained model; validated on phantoms only."""

import hashlib
from collections.abc import Mapping
from functools import cache

import numpy as np

from isocenter.core.finding import ModelRef
from isocenter.core.reading import Abstention, QualityCheck, Reading
from isocenter.core.volume import Volume
from isocenter.imaging.segment.calcium import Calcium, find_calcium
from isocenter.imaging.segment.lungs import LEFT, RIGHT, Lungs, find_lungs
from isocenter.imaging.segment.nodules import find_nodules
from isocenter.reading.chest.axial import Axial, axial_view
from isocenter.reading.chest.calcium_finding import calcium_finding
from isocenter.reading.chest.nodule_findings import nodule_findings
from isocenter.reading.chest.patient_facts import PatientFacts, patient_facts
from isocenter.reading.chest.pictures import chest_figures
from isocenter.reading.task import Case, Task
from isocenter.zoo.cards import built_in_card, card_to_toml
from isocenter.zoo.predict import Models

NAME = "chest-ct"
MAX_SLICE_MM = 5.0
MAX_PIXEL_MM = 2.5
MIN_LUNG_ML = 100.0
MIN_HEIGHT_MM = 24.0
Statement = tuple[str, Mapping[str, str]]


@cache
def method_ref() -> ModelRef:
    """The method as the findings name it; without weights, the digest is that of its card."""
    card = built_in_card(NAME)
    digest = hashlib.sha256(card_to_toml(card).encode()).hexdigest()
    return ModelRef(card.name, card.version, f"sha256:{digest}")


def read_chest_ct(volume: Volume, *, context: Mapping[str, object], explain: bool = True) -> Reading:
    """Nodules and calcium of a chest CT in HU, or the named reason for none.

    context   clinical facts (`patient_facts` lists them); raises InputError for one that cannot be
    """
    facts = patient_facts(Case(Models(), context))
    refused = _refuse_input(volume)
    if refused is not None:
        return Reading(NAME, volume.source.series_uid, abstained=refused)
    axial = axial_view(volume)
    checks = _grid_checks(axial)
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None:
        reason = Abstention("quality", {"check": f"quality-{failed.name}"})
        return Reading(NAME, volume.source.series_uid, abstained=reason, quality=checks)
    lungs = find_lungs(axial.array, axial.spacing_mm)
    lung_ml = 0.0 if lungs is None else lungs.volume_ml(RIGHT) + lungs.volume_ml(LEFT)
    checks = (*checks, QualityCheck("lung-volume", lung_ml, MIN_LUNG_ML, lung_ml >= MIN_LUNG_ML))
    if lungs is None or lung_ml < MIN_LUNG_ML:
        reason = Abstention("wrong-input", {"task": NAME, "got": "no-lungs"})
        return Reading(NAME, volume.source.series_uid, abstained=reason, quality=checks)
    return _read_axial(axial, lungs, checks, (facts, explain))


def _read_axial(
    axial: Axial, lungs: Lungs, checks: tuple[QualityCheck, ...], how: tuple[PatientFacts, bool]
) -> Reading:
    """The reading of a chest CT that passed its checks."""
    facts, explain = how
    volume, method = axial.source, method_ref()
    nodules = find_nodules(axial.array, axial.spacing_mm, lungs)
    findings = nodule_findings(axial, nodules, lungs, facts=facts, model=method)
    statements: list[Statement] = [] if nodules else [("no-nodule", {})]
    calcium, scored = None, None
    if volume.facts.contrast:
        statements.append(("calcium-not-scored", {"why": "contrast-given"}))
    else:
        slice_mm = volume.facts.slice_thickness_mm if axial.order[0] == 0 else None
        calcium = find_calcium(axial.array, axial.spacing_mm, lungs, slice_mm=slice_mm)
        if calcium.contrast:
            statements.append(("calcium-not-scored", {"why": "contrast-seen"}))
        else:
            scored = calcium_finding(axial, calcium, number=len(findings) + 1, model=method)
            if scored is None:
                statements.append(("no-calcium", {}))
    every = findings if scored is None else (*findings, scored)
    predictions = {"n_nodules": float(len(nodules))}
    if nodules:
        predictions["largest_mean_diameter_mm"] = findings[0].measurement("mean_diameter").value
    if calcium is not None and not calcium.contrast:
        predictions["agatston_score"] = calcium.score.agatston
    return Reading(
        NAME,
        volume.source.series_uid,
        "CT",
        "CHEST",
        findings=every,
        quality=checks,
        figures=chest_figures(axial, nodules, calcium, scored.id if scored else "") if explain else (),
        predictions=predictions,
        statements=tuple(statements),
        models=(method,),
        parameters=_parameters(lungs, calcium),
    )


def _parameters(lungs: Lungs, calcium: Calcium | None) -> dict[str, float]:
    """What the reading was made with; blur 0 was not undone."""
    out: dict[str, float] = {
        "lung_hu": round(lungs.lung_hu, 1),
        "noise_hu": round(calcium.noise_hu, 1) if calcium else -1.0,
        "right_lung_ml": round(lungs.volume_ml(RIGHT)),
        "left_lung_ml": round(lungs.volume_ml(LEFT)),
    }
    if calcium is not None and not calcium.contrast:
        out["blur_undone_pixels"] = 0.0 if calcium.blur is None else round(calcium.blur.sigma_pixels, 2)
        out["agatston_as_scanned"] = round(calcium.as_scanned.agatston, 1)
    return out


def _refuse_input(volume: Volume) -> Abstention | None:
    """Why this is no CT volume in Hounsfield units; None if it is one."""
    got = ""
    if volume.is_colour or volume.unit != "HU":
        got = "not-in-hounsfield"
    elif volume.is_2d:
        got = "single-image"
    elif not volume.grid.spacing_known:
        got = "unknown-spacing"
    return Abstention("wrong-input", {"task": NAME, "got": got}) if got else None


def _grid_checks(axial: Axial) -> tuple[QualityCheck, ...]:
    """Slices thin and pixels fine enough to measure a nodule, enough of the chest, numbers everywhere."""
    slice_mm, row_mm, column_mm = axial.spacing_mm
    thick = max(slice_mm, axial.source.facts.slice_thickness_mm or 0.0)
    pixel = max(row_mm, column_mm)
    height = slice_mm * axial.array.shape[0]
    middle = axial.array[:: max(1, axial.array.shape[0] // 16)]
    broken = 0.0 if not np.issubdtype(middle.dtype, np.floating) else float(1 - np.isfinite(middle).mean())
    return (
        QualityCheck("slice-thickness", thick, MAX_SLICE_MM, thick <= MAX_SLICE_MM + 0.01),
        QualityCheck("pixel-size", pixel, MAX_PIXEL_MM, pixel <= MAX_PIXEL_MM + 0.01),
        QualityCheck("covered-height", height, MIN_HEIGHT_MM, height >= MIN_HEIGHT_MM),
        QualityCheck("finite", broken, 0.0, broken == 0.0),
    )


def _read(volume: Volume, case: Case) -> Reading:
    return read_chest_ct(volume, context=case.context, explain=case.explain)


TASK = Task(
    name=NAME,
    dimension="3d",
    modalities=frozenset({"CT"}),
    body_parts=frozenset({"CHEST", "LUNG", "THORAX", "HEART", "CHESTLUNG"}),
    routes=frozenset(),
    models=(),
    columns=("n_nodules", "largest_mean_diameter_mm", "agatston_score"),
    read=_read,
)
