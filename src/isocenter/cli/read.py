"""`isocenter read`: the main job."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocenter.cli.exits import batch_code, tell_failures
from isocenter.cli.progress import progress

if TYPE_CHECKING:
    from isocenter.core.report import Report


class Language(StrEnum):
    """Languages that a report can be written in."""

    en = "en"
    zh = "zh"


Paths = Annotated[list[Path], typer.Argument(help="DICOM files, folders or zips; NIfTI, NRRD; PNG, JPEG, TIFF.")]
Context = Annotated[
    Path | None,
    typer.Option(help="Clinical facts: a JSON object for all inputs, or a CSV with a `file` column.", dir_okay=False),
]
Home = Annotated[Path | None, typer.Option(help="Keys and added models; default $ISOCENTER_HOME.")]


def read(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="Parent of the study folders.", file_okay=False)],
    task: Annotated[str, typer.Option(help="auto, or a name from `isocenter tasks`.")] = "auto",
    prior: Annotated[Path | None, typer.Option(help="An earlier study of the patient (not built yet).")] = None,
    context: Context = None,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.en,
    identity: Annotated[
        bool, typer.Option("--identity/--no-identity", help="Whether HTML, PDF and SR name the patient.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    home: Home = None,
) -> None:
    """Read every study under PATHS and write one folder per study: report, figures, DICOM SR and SEG."""
    from isocenter.app.context import load_context
    from isocenter.app.read_files import ReadOptions, read_paths
    from isocenter.app.settings import load_settings
    from isocenter.core.errors import InputError
    from isocenter.zoo.predict import Models

    if prior is not None:
        raise InputError("--prior: expected none, comparison with an earlier study is not built yet; leave it out")
    settings = load_settings(home)
    options = ReadOptions(
        Models(settings.home), settings.now(), task, lang.value, identity=identity, context=load_context(context)
    )
    with progress("reading") as step:

        def on_report(report: "Report") -> None:
            step()
            if not as_json:
                _tell(report)

        outcome = read_paths(paths, out, options, on_report=on_report)
    if as_json:
        print(json.dumps([_summary(report) for report in outcome.reports], ensure_ascii=False, indent=2))
    tell_failures(outcome.failures)
    sys.exit(batch_code(len(outcome.reports), outcome.failures))


def _summary(report: "Report") -> dict[str, object]:
    return {
        "study": report.study.key,
        "folder": report.folder,
        "tasks": list(report.tasks),
        "findings": len(report.findings),
        "abstained": report.abstained.code if report.abstained else None,
    }


def _tell(report: "Report") -> None:
    """One study, one line of state, then its impression."""
    state = f"abstained ({report.abstained.code})" if report.abstained else f"{len(report.findings)} finding(s)"
    print(f"{report.study.key}  {', '.join(report.tasks) or '-'}  {state}  {report.folder}/report.html")
    if report.sections["impression"]:
        print(f"    {report.sections['impression']}")
