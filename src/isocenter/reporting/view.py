"""What a report shows, as words in its language: the one list that the page and the PDF both print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from isocenter.core.errors import ReportError
from isocenter.core.finding import Category, Code, Evidence, Finding, Measurement
from isocenter.core.report import SECTIONS, Report
from isocenter.knowledge.terms import list_terms
from isocenter.reporting import wording
from isocenter.reporting.compose import render_caption
from isocenter.reporting.fonts import missing_characters, printable
from isocenter.reporting.locale import label, load_locale, phrase
from isocenter.reporting.quantities import print_check, print_number, print_unit
from isocenter.reporting.texts import text

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A guideline's answer: title ("bi-rads: 4C (AI-estimated)"), advice, trace rows (term, given, effect), source."""

    title: str
    advice: str
    trace: tuple[tuple[str, str, str], ...]
    source: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding: title, facts, measurement rows (name, value ± uncertainty with unit, method), categories."""

    id: str
    title: str
    facts: tuple[Pair, ...]
    measurements: tuple[tuple[str, str, str], ...]
    categories: tuple[CategoryView, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a report shows, in the order in which it shows it.

    sections      (heading, paragraphs)
    quality       rows (check, value, "≤ limit" or "≥ limit", result)
    figures       (name of the PNG, caption)
    """

    title: str
    banner: str
    patient: tuple[Pair, ...]
    study: tuple[Pair, ...]
    abstained: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    findings: tuple[FindingView, ...]
    figures: tuple[Pair, ...]
    quality: tuple[tuple[str, str, str, str], ...]
    failures: tuple[Pair, ...]
    provenance: tuple[Pair, ...]
    sources: tuple[str, ...]
    has_uncertainty: bool
    labels: Mapping[str, str] = field(repr=False)

    def texts(self) -> str:
        """Every character that the report prints, for cutting fonts."""
        return "".join(_strings(self))

    @property
    def spelled(self) -> str:
        """The note that names the characters which no embedded font draws; "" when there are none."""
        missing = missing_characters(self.texts())
        return self.labels["glyphs"].format(characters=printable(" ".join(missing))) if missing else ""


def build_view(report: Report, *, identity: bool) -> View:
    """The report as words. Without `identity`, name, ID and birth date are left out."""
    language = report.language
    sources = dict.fromkeys(category.source for finding in report.findings for category in finding.categories)
    return View(
        title=label(language, "title"),
        banner=label(language, f"banner_{report.status}"),
        patient=_patient(report, identity),
        study=_study(report),
        abstained=report.abstained_reason or (report.abstained.code if report.abstained else ""),
        sections=tuple(
            (label(language, name), _paragraphs(report, name)) for name in SECTIONS if report.sections.get(name)
        ),
        findings=tuple(_finding(finding, language) for finding in report.findings),
        figures=tuple((figure.name, _caption(report, n)) for n, figure in enumerate(report.figures)),
        quality=tuple(
            (
                _known(language, "quality", check.name),
                *print_check(check),
                label(language, "passed" if check.passed else "not_passed"),
            )
            for check in report.quality
        ),
        failures=tuple((str(failure.path), failure.problem) for failure in report.failures),
        provenance=_provenance(report),
        sources=tuple(source for source in sources if source),
        has_uncertainty=any(m.uncertainty is not None for finding in report.findings for m in finding.measurements),
        labels=load_locale(language)["labels"],
    )


def code_name(code: Code, language: str) -> str:
    """A coded concept in words: from the term list, else the meaning that stands beside the code."""
    words = _words_by_code().get((code.scheme, code.value))
    return words[language] if words else code.meaning


def finding_name(finding: Finding, language: str) -> str:
    """What the finding is, in words."""
    kind, verdict = (finding.qualifiers.get(key, "") for key in ("kind", "verdict"))
    known = list_terms().get(f"{kind}-{verdict}") or list_terms().get(kind)
    name = known.text(language) if known else code_name(finding.code, language)
    return wording.capital(name)


def measurement_name(measurement: Measurement, language: str) -> str:
    """The measurement's name in words."""
    known = list_terms().get(measurement.name)
    name = known.text(language) if known else measurement.name.replace("_", " ")
    return wording.capital(name)


@cache
def _words_by_code() -> Mapping[tuple[str, str], Mapping[str, str]]:
    return {(t.code.scheme, t.code.value): {"en": t.en, "zh": t.zh} for t in reversed(list(list_terms().values()))}


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [each for item in value.values() for each in _strings(item)]
    if isinstance(value, tuple):
        return [each for item in value for each in _strings(item)]
    names: Sequence[str] = getattr(value, "__slots__", ())
    return [each for name in names for each in _strings(getattr(value, name))]


def _paragraphs(report: Report, section: str) -> tuple[str, ...]:
    """A section's text, with what is said of each finding on a line of its own."""
    gap = "" if report.language == "zh" else " "
    spoken = [sentence for sentence in report.sentences if sentence.section == section]
    groups = groupby(spoken, key=lambda sentence: sentence.finding)
    paragraphs = tuple(gap.join(sentence.text for sentence in group) for _, group in groups)
    # A section that somebody edited is no longer the sum of its sentences.
    whole = report.sections[section]
    return paragraphs if gap.join(paragraphs) == whole else (whole,)


def _known(language: str, table: str, code: str) -> str:
    try:
        return text(table, code, language)
    except ReportError:
        return code.replace("-", " ").replace("_", " ")


def _caption(report: Report, number: int) -> str:
    figure = report.figures[number]
    try:
        caption = render_caption(figure, report.language)
    except ReportError:
        caption = ""
    return " · ".join(part for part in (figure.finding, caption or figure.name) if part)


def _patient(report: Report, identity: bool) -> tuple[Pair, ...]:
    language, patient = report.language, report.patient
    unknown = label(language, "unknown")
    rows: list[Pair] = []
    if identity:
        rows.append((label(language, "name"), patient.name or unknown))
        rows.append((label(language, "patient_id"), patient.patient_id or unknown))
        rows.append((label(language, "birth_date"), patient.birth_date or unknown))
    else:
        rows.append((label(language, "name"), label(language, "withheld")))
    sex, age = report.study.sex, report.study.age_years
    rows.append((label(language, "sex"), phrase(language, "labels", f"sex_{sex}", sex or unknown)))
    rows.append(
        (label(language, "age"), label(language, "age_years").format(years=f"{age:g}") if age is not None else unknown)
    )
    return tuple(rows)


def _study(report: Report) -> tuple[Pair, ...]:
    language, study = report.language, report.study
    unknown = label(language, "unknown")
    created = report.created.replace("T", " ").replace("Z", " UTC")
    return (
        (label(language, "modality"), wording.modality(study.modality, language) or unknown),
        (label(language, "body_part"), wording.capital(wording.body_part(study.body_part, language)) or unknown),
        (label(language, "study_date"), study.date or unknown),
        (
            label(language, "tasks"),
            wording.capital(wording.tasks(report.tasks, language)) or "–",
        ),
        (label(language, "created"), created or unknown),
        (label(language, "study_uid"), study.uid or study.key),
    )


def _finding(finding: Finding, language: str) -> FindingView:
    side = finding.site.laterality
    site = [code_name(finding.site.code, language)] + ([label(language, f"laterality_{side}")] if side else [])
    facts = [
        (label(language, "site"), ("，" if language == "zh" else ", ").join([wording.capital(site[0]), *site[1:]]))
    ]
    if finding.probability is not None:
        facts.append((label(language, "probability"), f"{finding.probability:.2f}"))
    facts += [(label(language, "evidence"), _evidence(evidence, language)) for evidence in finding.evidence]
    if finding.model:
        facts.append((label(language, "model"), f"{finding.model.name} {finding.model.version}"))
    measured = tuple(
        (measurement_name(m, language), _value(m, language), _method(finding, n, language))
        for n, m in enumerate(finding.measurements)
    )
    categories = tuple(_category(category, finding, language) for category in finding.categories)
    return FindingView(finding.id, finding_name(finding, language), tuple(facts), measured, categories)


def _method(finding: Finding, number: int, language: str) -> str:
    """How a measurement was made; "as above" where the one before it was made the same way."""
    made = finding.measurements[number].method
    if number and made == finding.measurements[number - 1].method:
        return label(language, "as_above")
    return wording.method(made, language)


def _value(measurement: Measurement, language: str) -> str:
    value = print_number(measurement.value, measurement.unit)
    if measurement.uncertainty is not None:
        digits = len(value.partition(".")[2])
        value += f" ± {measurement.uncertainty:.{digits}f}"
    return value + print_unit(measurement.unit, language) + _days(measurement, language)


def _days(measurement: Measurement, language: str) -> str:
    """Weeks as obstetricians count them, whole weeks and days, behind the decimal ones."""
    if measurement.unit != "wk":
        return ""
    weeks, days = divmod(round(measurement.value * 7), 7)
    return f" ({label(language, 'weeks_days').format(weeks=weeks, days=days)})"


def _category(category: Category, finding: Finding, language: str) -> CategoryView:
    flags = wording.listed([wording.flag(flag, language) for flag in category.flags], language)
    rule = phrase(language, "rules", category.rule, category.rule)
    title = f"{rule}: {_answer(category, finding, language) or '–'}" + (f" ({flags})" if flags else "")
    return CategoryView(title, category.texts.get(language, ""), wording.steps(category, language), category.source)


def _answer(category: Category, finding: Finding, language: str) -> str:
    """What the rule answered; an age that is also a measurement, as the measurement is printed."""
    for measured in finding.measurements:
        if measured.unit == "wk" and category.value == f"{measured.value:.2f}":
            return print_number(measured.value, measured.unit) + print_unit(measured.unit, language)
    return wording.category_value(category.value, language)


def _evidence(evidence: Evidence, language: str) -> str:
    points = 0 if evidence.points_index is None else len(evidence.points_index)
    parts = [
        label(language, "evidence_image").format(frame=evidence.frame + 1),
        label(language, f"evidence_{evidence.kind}").format(voxels=evidence.voxels or "?", points=points),
    ]
    if evidence.centre_lps_mm is not None:
        x, y, z = (f"{value:.1f}" for value in evidence.centre_lps_mm)
        parts.append(label(language, "evidence_centre").format(x=x, y=y, z=z))
    return ("，" if language == "zh" else ", ").join(parts)


def _provenance(report: Report) -> tuple[Pair, ...]:
    language, source = report.language, report.provenance
    rows: list[Pair] = [(label(language, "software"), source.code)]
    if source.runtime:
        precision = label(language, "precision").format(precision=source.precision) if source.precision else ""
        rows.append((label(language, "runtime"), ", ".join(part for part in (source.runtime, precision) if part)))
    rows += [
        (label(language, "models"), ", ".join(filter(None, (f"{model.name} {model.version}", model.digest))))
        for model in source.models
    ]
    names = source.files or ("",) * len(source.inputs)
    shown = [f"{name} {digest}".strip() for name, digest in zip(names, source.inputs, strict=False)]
    if len(shown) > 4:
        shown = [*shown[:3], f"… ({len(source.inputs)})"]
    rows += [(label(language, "inputs"), line) for line in shown]
    if source.parameters:
        rows.append((label(language, "parameters"), "; ".join(_settings("", source.parameters))))
    return tuple(rows)


def _settings(prefix: str, parameters: Mapping[str, object]) -> list[str]:
    """What was set, one "task.name = value" each."""
    lines: list[str] = []
    for name, value in sorted(parameters.items()):
        if isinstance(value, Mapping):
            lines += _settings(f"{prefix}{name}.", value)
        else:
            lines.append(f"{prefix}{name} = {value}")
    return lines
