"""Readings become a report: every sentence is rendered from a finding's codes, measurements and categories."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from isocenter.core.finding import Finding
from isocenter.core.provenance import Provenance
from isocenter.core.reading import Abstention, Figure, Reading
from isocenter.core.report import SECTIONS, Report, Sentence, StudyHeader
from isocenter.core.study import Study
from isocenter.knowledge.terms import list_terms
from isocenter.reporting import wording
from isocenter.reporting.quantities import print_measurement
from isocenter.reporting.review import require_supported
from isocenter.reporting.texts import SentenceTemplate, fill, sentence_templates, text


def compose_report(
    study: Study, readings: Sequence[Reading], *, language: str, provenance: Provenance, now: datetime
) -> Report:
    """The draft report of a study's readings, in one language.

    Raises ReportError if a sentence would print a number that no measurement of its finding supports.
    """
    findings, figures = _number(readings)
    abstained = _abstention(readings)
    reason = render_abstention(abstained, language) if abstained else ""
    sentences = (*_study_sentences(study, readings, language), *_finding_sentences(findings, language))
    if findings:
        sentences = (*sentences, Sentence(text("statement", "for-review", language), "recommendation"))
    if abstained:
        sentences = (*sentences, Sentence(reason, "impression"))
    sentences = tuple(sorted(sentences, key=lambda sentence: SECTIONS.index(sentence.section)))
    report = Report(
        study=_header(study, readings),
        provenance=provenance,
        language=language,
        created=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tasks=tuple(dict.fromkeys(reading.task for reading in readings if reading.task)),
        quality=tuple(check for reading in readings for check in reading.quality),
        abstained=abstained,
        abstained_reason=reason,
        findings=findings,
        sections={name: _join(sentences, name, language) for name in SECTIONS},
        sentences=sentences,
        figures=figures,
        predictions={reading.task: dict(reading.predictions) for reading in readings},
        failures=study.failures,
        patient=study.patient,
    )
    require_supported(report)
    return report


def render_abstention(abstained: Abstention, language: str) -> str:
    """The named reason in a language."""
    return (
        fill(text("abstention", abstained.code, language), lambda _, name: _word(abstained.values, name, language))
        or ""
    )


def render_caption(figure: Figure, language: str) -> str:
    """The caption of a figure in a language."""
    return fill(text("caption", figure.caption, language), lambda _, name: _word(figure.values, name, language)) or ""


def _word(values: Mapping[str, str], name: str, language: str) -> str | None:
    """A value as text: a term in its language where the term list knows it, else the value itself."""
    if name not in values:
        return None
    return word(values[name], language)


def word(key: str, language: str) -> str:
    """A term's (or "quality-<check>"'s) name in a language; the key itself where the lists have no such entry."""
    if key.startswith("quality-"):
        return text("quality", key.removeprefix("quality-"), language)
    known = list_terms().get(key)
    return known.text(language) if known else wording.picture(key, language)


def _number(readings: Sequence[Reading]) -> tuple[tuple[Finding, ...], tuple[Figure, ...]]:
    """Findings renamed F1, F2, … over all readings, and the figures that follow them."""
    findings: list[Finding] = []
    figures: list[Figure] = []
    for reading in readings:
        names = {finding.id: f"F{len(findings) + n}" for n, finding in enumerate(reading.findings, 1)}
        findings += [replace(finding, id=names[finding.id]) for finding in reading.findings]
        for figure in reading.figures:
            new = names.get(figure.finding, "")
            stem = figure.name.removeprefix(f"{figure.finding}-") if new else figure.name
            figures.append(replace(figure, finding=new, name=f"{new}-{stem}" if new else f"{reading.task}-{stem}"))
    return tuple(findings), tuple(figures)


def _abstention(readings: Sequence[Reading]) -> Abstention | None:
    """The report abstains when no reading answered."""
    reasons = [reading.abstained for reading in readings if reading.abstained]
    answered = any(reading.abstained is None for reading in readings)
    if not readings:
        return Abstention("no-task")
    return None if answered else reasons[-1]


def _header(study: Study, readings: Sequence[Reading]) -> StudyHeader:
    """The study's facts; where no header states modality and body part, those of the tasks that answered."""
    answered = [reading for reading in readings if reading.abstained is None]
    modalities = {image.modality for image in study.volumes} - {""} or {reading.modality for reading in answered}
    parts = {image.facts.body_part for image in study.volumes} - {""} or {reading.body_part for reading in answered}
    return StudyHeader(
        uid=study.uid,
        key=study.key,
        modality="\\".join(sorted(modalities - {""})),
        body_part="\\".join(sorted(parts - {""})),
        date=study.date,
        patient_key=study.patient.key,
        sex=study.patient.sex,
        age_years=study.patient.age_years,
    )


def _study_sentences(study: Study, readings: Sequence[Reading], language: str) -> tuple[Sentence, ...]:
    images = [image for image in study.volumes if image.source.series_uid in {r.series_uid for r in readings}]
    images = images or list(study.volumes)
    stated = next((image.modality for image in images if image.modality), "")
    inferred = next((reading.modality for reading in readings if reading.modality), "")
    modality = word(stated or inferred or "unknown-modality", language)
    modality = modality[:1].upper() + modality[1:]
    count = sum(image.grid.shape[0] for image in images)
    tasks = list(dict.fromkeys(reading.task for reading in readings if reading.task))
    values = {"modality": modality, "count": str(count), "tasks": wording.tasks(tasks, language) or "-"}
    made = []
    for section, code in (("technique", "technique"), ("comparison", "no-prior")):
        rendered = fill(text("statement", code, language), lambda _, name: values.get(name))
        made.append(Sentence(rendered or "", section))
    answered = any(reading.abstained is None for reading in readings)
    for number, reading in enumerate(readings, 1):
        if answered and reading.abstained:
            refused = {"number": str(number), "reason": render_abstention(reading.abstained, language)}
            rendered = fill(text("statement", "image-refused", language), lambda _, name, g=refused: g.get(name))  # type: ignore[misc]
            made.append(Sentence(rendered or "", "findings"))
        for code, given in reading.statements:
            rendered = fill(text("statement", code, language), lambda _, name, g=given: _word(g, name, language))  # type: ignore[misc]
            made.append(Sentence(rendered or "", _statement_section(code)))
    return tuple(made)


def _statement_section(code: str) -> str:
    section = text("statement", code, "section")
    return section if section in SECTIONS else "findings"


def _finding_sentences(findings: Sequence[Finding], language: str) -> tuple[Sentence, ...]:
    made = []
    for finding in findings:
        for template in sentence_templates():
            sentence = _render(finding, template, language)
            if sentence:
                made.append(sentence)
    return tuple(made)


def _render(finding: Finding, template: SentenceTemplate, language: str) -> Sentence | None:
    """The sentence, or None where the template is not for this finding or asks for something that it lacks."""
    kind = finding.qualifiers.get("kind")
    if template.task != finding.task or template.kind != kind:
        return None
    if any(finding.qualifiers.get(name) != value for name, value in template.when.items()):
        return None
    used: list[str] = []

    def look_up(what: str, name: str) -> str | None:
        if what == "m":
            found = next((m for m in finding.measurements if m.name == name), None)
            if found is None:
                return None
            used.append(name)
            return print_measurement(found, language)
        return _attribute(finding, what, name, language)

    filled = fill(template.texts[language], look_up)
    return Sentence(filled, template.section, finding.id, tuple(used)) if filled else None


def _attribute(finding: Finding, what: str, name: str, language: str) -> str | None:
    """A finding's qualifier (q), category value (c), advice (a), exclusion (x), or its id and probability.

    A guideline that does not hold for the patient gives neither value nor advice.
    """
    if what == "q":
        return _word(finding.qualifiers, name, language)
    if what in ("c", "a", "x"):
        category = next((c for c in finding.categories if c.rule == name), None)
        excluded = category is not None and "out_of_scope" in category.flags
        if what == "x":
            return name if excluded else None
        if category is None or excluded or not category.value:
            return None
        return category.value if what == "c" else category.texts.get(language)
    if name == "id":
        return finding.id
    if name == "p" and finding.probability is not None:
        return f"{finding.probability:.2f}"
    return None


def _join(sentences: Sequence[Sentence], section: str, language: str) -> str:
    return ("" if language == "zh" else " ").join(s.text for s in sentences if s.section == section)
