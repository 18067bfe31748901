"""Files in, folders out: the science wing from end to end, for `isocenter.read` and the command line."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import isocenter
from isocenter.app.context import AssignedContext, ContextTable
from isocenter.app.settings import load_settings
from isocenter.app.study_files import study_files
from isocenter.app.study_folder import write_folder
from isocenter.core.cine import Cine
from isocenter.core.errors import InputError, IsocenterError, PackageError
from isocenter.core.provenance import Provenance
from isocenter.core.reading import Reading
from isocenter.core.report import Report
from isocenter.core.study import InputFailure, Study
from isocenter.core.volume import Volume
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies
from isocenter.reading.read import load_task, read_study
from isocenter.reading.task import Case
from isocenter.reporting.compose import compose_report
from isocenter.zoo.predict import Models


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How studies are read and written.

    language   of the sentences, "en" or "zh"
    identity   whether HTML, PDF and SR name the patient
    """

    models: Models
    now: datetime
    task: str = "auto"
    language: str = "en"
    identity: bool = True
    context: ContextTable = field(default_factory=ContextTable)


@dataclass(slots=True)
class Outcome:
    """What a batch came to."""

    reports: list[Report] = field(default_factory=list)
    failures: list[InputFailure] = field(default_factory=list)


def read(
    path: str | Path,
    *,
    out: str | Path | None = None,
    task: str = "auto",
    context: dict[str, object] | None = None,
    language: str = "en",
) -> Report:
    """The report of the one study under a path.

    out       where the study's folder goes; None writes nothing
    context   clinical facts: sex, age, pixel_size_mm …

    Raises InputError if the path holds no readable study, or several.
    """
    settings = load_settings()
    options = ReadOptions(
        Models(settings.home), settings.now(), task, language, context=ContextTable(shared=context or {})
    )
    outcome = read_paths([Path(path)], Path(out) if out is not None else None, options)
    if len(outcome.reports) == 1:
        return outcome.reports[0]
    if not outcome.reports:
        problem = outcome.failures[0].problem if outcome.failures else "no image was found"
        raise InputError(f"{Path(path).name}: {problem}")
    raise InputError(f"{Path(path).name}: expected one study, got {len(outcome.reports)}; use read_paths for several")


def read_paths(
    paths: Sequence[Path],
    out: Path | None,
    options: ReadOptions,
    *,
    on_report: Callable[[Report], None] = lambda report: None,
) -> Outcome:
    """Read every study under the paths, one after the other, and write each one's folder.

    out         parent of the folders; None writes nothing
    on_report   called after each study

    What cannot be read is listed in the outcome; the rest goes on.
    """
    if options.task != "auto":
        load_task(options.task)
    outcome = Outcome()
    with open_inputs(paths) as inputs:
        context = options.context.assign(file.label for file in inputs.files)
        for study in iter_studies(inputs):
            report = _try_study(study, out, options, context=context, failures=outcome.failures)
            if report is not None:
                outcome.reports.append(report)
                on_report(report)
        outcome.failures += inputs.failures
    return outcome


def _try_study(
    study: Study, out: Path | None, options: ReadOptions, *, context: AssignedContext, failures: list[InputFailure]
) -> Report | None:
    """The study's report, written; None with a line in `failures` where that did not work."""
    if not study.volumes:
        failures.append(_without_images(study))
        return None
    label = study_label(study)
    try:
        report = read_one(study, options, context)
        return report if out is None else write_study(study, report, out, options)
    except PackageError:
        raise  # a model that is missing or altered fails every study alike
    except IsocenterError as error:
        failures.append(InputFailure(label, str(error)))
    except OSError as error:
        failures.append(InputFailure(label, f"expected a writable {out}, got: {error.strerror}; free or change it"))
    except Exception as error:  # noqa: BLE001  one study's surprise must not cost the others theirs
        failures.append(InputFailure(label, internal_error(error)))
    return None


def internal_error(error: Exception) -> str:
    """One line about a fault of ours: its kind and place, never its text, which could quote a header."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"internal error ({type(error).__name__} at {place}); nothing was written for it; please report it"


def _without_images(study: Study) -> InputFailure:
    """A study that holds only objects that are no images."""
    kinds = sorted({attachment.modality or "unknown" for attachment in study.attachments}) or ["nothing"]
    label = next((a.path for a in study.attachments if a.path), Path(study.key))
    return InputFailure(label, f"expected at least one image, the study holds {', '.join(kinds)}; add its image series")


def read_one(study: Study, options: ReadOptions, context: AssignedContext) -> Report:
    """The report of one study in memory; what the caller states of sex and age stands over the header."""
    case = Case(options.models, _facts(study, context))
    sex, age_years = str(case.context.get("sex") or "").upper()[:1], case.number("age")
    patient = replace(study.patient, sex=sex if sex in ("M", "F", "O") else study.patient.sex, age_years=age_years)
    study = replace(study, patient=patient)
    readings = read_study(study, case, task=options.task)
    return compose_report(
        study,
        readings,
        language=options.language,
        provenance=_provenance(study, readings, options),
        now=options.now,
    )


def write_study(study: Study, report: Report, out: Path, options: ReadOptions) -> Report:
    """Write the study's folder, replacing an earlier one by rename; the report with its evidence files named."""
    report, files = study_files(study, report, identity=options.identity)
    folder = out / study.key
    write_folder(folder, files)
    return replace(report, folder=str(folder))


def study_label(study: Study) -> Path:
    """How the caller knows the study: its first file, or its key."""
    for image in study.volumes:
        if image.source.paths:
            return image.source.paths[0]
    return Path(study.key)


def labels_of(images: Iterable[Volume | Cine]) -> tuple[Path, ...]:
    """The caller's names of the images' files, without repeats."""
    return tuple(dict.fromkeys(path for image in images for path in image.source.paths))


def _facts(study: Study, context: AssignedContext) -> dict[str, object]:
    """The caller's facts for a study, over what its header states of sex and age."""
    header: dict[str, object] = {}
    if study.patient.sex:
        header["sex"] = study.patient.sex
    if study.patient.age_years is not None:
        header["age"] = study.patient.age_years
    return {**header, **context.facts_for(labels_of(study.volumes))}


def _provenance(study: Study, readings: Sequence[Reading], options: ReadOptions) -> Provenance:
    models = tuple(dict.fromkeys(model for reading in readings for model in reading.models))
    inputs = sorted({pair for image in study.volumes for pair in _input_pairs(image)})
    return Provenance(
        inputs=tuple(digest for digest, _ in inputs),
        files=tuple(name for _, name in inputs),
        code=f"isocenter {isocenter.__version__}",
        models=models,
        runtime=options.models.runtime if models else "",
        precision=options.models.precision if models else "",
        parameters={
            **{reading.task: dict(reading.parameters) for reading in readings},
            **({"notes": list(options.models.notes)} if models and options.models.notes else {}),
        },
    )


def _input_pairs(image: Volume | Cine) -> Iterator[tuple[str, str]]:
    """Digest and base name of every file behind an image; equal files share a digest and keep their names."""
    digests, paths = image.source.digests, image.source.paths
    if len(digests) == 1:
        yield from ((digests[0], path.name) for path in paths)
    else:
        yield from ((digest, path.name) for digest, path in zip(digests, paths, strict=False))
