"""The report as JSON, by schema; identity never enters it."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from isocenter.core.errors import ReportError
from isocenter.core.finding import Category, Code, Evidence, Finding, Measurement, ModelRef
from isocenter.core.report import Report

SCHEMA_ID = "isocenter-report/1"


def report_to_dict(report: Report) -> dict[str, Any]:
    """The report as plain data, in the order in which a reader expects it."""
    return {
        "schema": SCHEMA_ID,
        "language": report.language,
        "status": report.status,
        "created": report.created,
        "study": _study(report),
        "tasks": list(report.tasks),
        "quality": {
            "passed": all(check.passed for check in report.quality),
            "checks": [
                {"name": c.name, "value": _round(c.value), "limit": _round(c.limit), "passed": c.passed}
                for c in report.quality
            ],
        },
        "abstained": {"reason": report.abstained_reason, "code": report.abstained.code} if report.abstained else None,
        "findings": [_finding(finding) for finding in report.findings],
        "sections": dict(report.sections),
        "sentences": [
            {"text": s.text, "section": s.section, "finding": s.finding or None, "measurements": list(s.measurements)}
            for s in report.sentences
        ],
        "predictions": {
            task: {name: _round(value) for name, value in columns.items()}
            for task, columns in report.predictions.items()
        },
        "figures": [f"figures/{figure.name}.png" for figure in report.figures],
        "failures": [{"file": failure.path.name, "problem": failure.problem} for failure in report.failures],
        "provenance": provenance_to_dict(report),
    }


def report_to_json(report: Report) -> bytes:
    """The report as UTF-8 JSON, checked against the schema. Raises ReportError where it does not fit."""
    data = report_to_dict(report)
    require_schema(data)
    return (json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def require_schema(data: Mapping[str, Any]) -> None:
    """Raise ReportError with the first place where the data do not fit the report's schema."""
    error = next(iter(sorted(_validator().iter_errors(data), key=lambda e: list(map(str, e.path)))), None)
    if error is not None:
        place = "/".join(str(part) for part in error.path) or "top level"
        raise ReportError(f"report.json at {place}: {error.validator} expected by the schema does not hold")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema_text()))


def schema_text() -> str:
    """The JSON Schema of `report.json`."""
    return files("isocenter.reporting").joinpath("report.schema.json").read_text(encoding="utf-8")


def provenance_to_dict(report: Report) -> dict[str, Any]:
    """What the answer was made from, as `provenance.json` and the report hold it."""
    origin = report.provenance
    names = origin.files or ("",) * len(origin.inputs)
    return {
        "inputs": [
            {"digest": digest, **({"file": name} if name else {})}
            for digest, name in zip(origin.inputs, names, strict=True)
        ],
        "code": origin.code,
        "models": [_model(model) for model in origin.models],
        "runtime": origin.runtime,
        "precision": origin.precision,
        "parameters": dict(origin.parameters),
    }


def _study(report: Report) -> dict[str, Any]:
    study = report.study
    return {
        "uid": study.uid,
        "key": study.key,
        "modality": study.modality,
        "body_part": study.body_part,
        "date": study.date,
        "patient": {"key": study.patient_key, "sex": study.sex, "age_years": study.age_years},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    categories = [category_to_dict(category) for category in finding.categories]
    return {
        "id": finding.id,
        "task": finding.task,
        "code": _code(finding.code),
        "site": {"code": _code(finding.site.code), "laterality": finding.site.laterality},
        "probability": None if finding.probability is None else _round(finding.probability),
        "category": categories[0] if categories else None,
        "categories": categories,
        "measurements": [_measurement(measurement) for measurement in finding.measurements],
        "evidence": [_evidence(evidence) for evidence in finding.evidence],
        "model": _model(finding.model) if finding.model else None,
        "prior": finding.prior,
        "qualifiers": dict(finding.qualifiers),
    }


def _code(code: Code) -> dict[str, str]:
    return {"scheme": code.scheme, "value": code.value, "meaning": code.meaning}


def _model(model: ModelRef) -> dict[str, str]:
    return {"name": model.name, "version": model.version, "digest": model.digest}


def category_to_dict(category: Category) -> dict[str, Any]:
    """What a guideline says, as the report and `isocenter rule --json` print it."""
    return {
        "rule": category.rule,
        "value": category.value,
        "management": category.management,
        "texts": dict(category.texts),
        "limits": list(category.limits),
        "flags": list(category.flags),
        "trace": [{"term": t.term, "value": t.value, "effect": t.effect} for t in category.trace],
        "source": category.source,
    }


def _measurement(m: Measurement) -> dict[str, Any]:
    return {
        "name": m.name,
        "value": _round(m.value),
        "unit": m.unit,
        "code": _code(m.code),
        "method": m.method,
        "uncertainty": None if m.uncertainty is None else _round(m.uncertainty),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": evidence.kind,
        "series_uid": evidence.series_uid,
        "frame": evidence.frame,
        "file": evidence.file,
    }
    if evidence.voxels is not None:
        made["voxels"] = evidence.voxels
    if evidence.centre_lps_mm is not None:
        made["centre_lps_mm"] = [_round(x) for x in evidence.centre_lps_mm]
    if evidence.box_index is not None:
        made["box_index"] = [list(corner) for corner in evidence.box_index]
    if evidence.points_index is not None:
        made["points_index"] = [[_round(float(x)) for x in point] for point in evidence.points_index]
    return made


def _round(value: float) -> float:
    """Six significant digits: more than any of these numbers means, few enough to read."""
    return float(f"{value:.6g}")
