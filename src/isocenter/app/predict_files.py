"""One task over many inputs: a table of probabilities and measurements, and masks beside it."""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isocenter.app.context import AssignedContext, ContextTable
from isocenter.app.read_files import internal_error, labels_of
from isocenter.core.cine import Cine
from isocenter.core.errors import InputError, IsocenterError, PackageError
from isocenter.core.reading import Reading
from isocenter.core.study import InputFailure, Study
from isocenter.core.volume import Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png
from isocenter.reading.read import load_task, read_study
from isocenter.reading.task import Case, Task
from isocenter.zoo.predict import Models


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """How a batch is predicted. masks, boxes: where they go, None for nowhere."""

    models: Models
    task: str
    context: ContextTable = field(default_factory=ContextTable)
    masks: Path | None = None
    boxes: Path | None = None
    workers: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One input's answer, or why it could not be read."""

    label: Path
    reading: Reading | None
    problem: str = ""


def predict_paths(
    paths: Sequence[Path], out: Path, options: PredictOptions, *, on_study: Callable[[], None] = lambda: None
) -> tuple[list[Row], list[InputFailure]]:
    """Predict every input, write the table, masks and boxes; the rows that were answered and what failed.

    Rows stand in input order, folders walked sorted by path.
    """
    task = load_task(options.task)
    with open_inputs(paths) as inputs:
        context = options.context.assign(file.label for file in inputs.files)
        if options.masks is not None:
            _require_distinct_masks(file.label for file in inputs.files if file.kind != "dicom")
        rows: list[Row] = []
        for made in _run(iter_studies(inputs), options, context):
            rows += made
            on_study()
        unread = [Row(failure.path, None, failure.problem) for failure in inputs.failures]
    failures = [InputFailure(row.label, row.problem) for row in [*rows, *unread] if row.reading is None]
    answered = [row for row in rows if row.reading]
    if not answered:
        return [], failures
    listed = sorted([*rows, *unread], key=lambda row: _place(row.label, paths))
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(out, _table(listed, task).encode())
    if options.boxes is not None:
        atomic_write(options.boxes, _boxes(listed).encode())
    return answered, failures


def _place(label: Path, paths: Sequence[Path]) -> tuple[int, Path]:
    """Where a row stands: by the given path that it lies under, then by its own."""
    under = (n for n, path in enumerate(paths) if path == label or path in label.parents)
    return next(under, len(paths)), label


def _run(studies: Iterable[Study], options: PredictOptions, context: AssignedContext) -> Iterator[list[Row]]:
    """Rows study by study; never more studies in memory than there are workers, and one."""
    if options.workers == 1:
        yield from (_predict_study(study, options, context) for study in studies)
        return
    with ThreadPoolExecutor(options.workers) as pool:
        waiting: deque[Future[list[Row]]] = deque()
        for study in studies:
            waiting.append(pool.submit(_predict_study, study, options, context))
            if len(waiting) > options.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _predict_study(study: Study, options: PredictOptions, context: AssignedContext) -> list[Row]:
    rows = []
    for image in study.volumes:
        single = Study(study.uid, study.date, study.patient, (image,))
        for label in _row_labels(image):
            named = labels_of([image]) if image.source.kind == "dicom" else (label,)
            case = Case(options.models, context.facts_for(named), explain=options.boxes is not None)
            try:
                readings = read_study(single, case, task=options.task)
            except PackageError:
                raise  # a model that is missing or altered fails every study alike
            except IsocenterError as error:
                rows.append(Row(label, None, str(error)))
                continue
            except Exception as error:  # noqa: BLE001  one input's surprise must not cost the others theirs
                rows.append(Row(label, None, internal_error(error)))
                continue
            rows += [Row(label, reading) for reading in readings]
            if options.masks is not None:
                _write_mask(options.masks, label, image, readings)
    return rows


def _row_labels(image: Volume | Cine) -> tuple[Path, ...]:
    """A file is a row (equal files each have theirs); a series of many files is one row, named by their folder."""
    labels = labels_of([image])
    if image.source.kind == "dicom" and len(labels) > 1:
        return (Path(*_common(labels)),)
    return labels or (Path(image.source.series_uid),)


def _common(labels: Sequence[Path]) -> tuple[str, ...]:
    parts = zip(*(label.parts for label in labels), strict=False)
    shared = []
    for names in parts:
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return tuple(shared)


def _write_mask(folder: Path, label: Path, image: Volume | Cine, readings: Sequence[Reading]) -> None:
    """The union of the findings' masks on the input's grid; nothing for an abstention."""
    findings = [finding for reading in readings for finding in reading.findings]
    masks = [e.mask for finding in findings for e in finding.evidence if e.mask is not None]
    if not masks:
        return
    union = np.logical_or.reduce([mask.array for mask in masks])
    folder.mkdir(parents=True, exist_ok=True)
    if image.grid.shape[0] == 1:
        write_png(union[0].astype(np.uint8) * 255, folder / f"{mask_stem(label)}.png")
    else:
        write_nifti(Volume(union.astype(np.uint8), image.grid, "1"), folder / f"{mask_stem(label)}.nii.gz")


def mask_stem(label: Path) -> str:
    """The name of an input's mask without its ending: a file's stem, a folder's whole name.

    >>> mask_stem(Path("a/002_HC.png")), mask_stem(Path("a/brain.nii.gz"))
    ('002_HC', 'brain')
    """
    if label.is_dir():
        return label.resolve().name
    return label.name.removesuffix(".gz").rsplit(".", 1)[0] or label.name


def _require_distinct_masks(labels: Iterable[Path]) -> None:
    """Raise InputError where two inputs would write one mask."""
    seen: dict[str, Path] = {}
    for label in labels:
        other = seen.setdefault(mask_stem(label), label)
        if other != label:
            raise InputError(f"--masks: expected one input named {mask_stem(label)}, got several; run folders apart")


def _table(rows: Sequence[Row], task: Task) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", *task.columns, "abstained"])
    for row in rows:
        values: Mapping[str, float] = {}
        reason = "unreadable"
        if row.reading is not None:
            reason = row.reading.abstained.code if row.reading.abstained else ""
            values = {} if reason else row.reading.predictions
        cells = [f"{values[name]:.6g}" if name in values else "" for name in task.columns]
        writer.writerow([_safe(str(row.label)), *cells, reason])
    return stream.getvalue()


def _boxes(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", "label", "xmin", "ymin", "xmax", "ymax", "score"])
    for row in rows:
        for finding in row.reading.findings if row.reading else ():
            for evidence in finding.evidence:
                if evidence.box_index is not None:
                    (_, top, left), (_, bottom, right) = evidence.box_index
                    score = "" if finding.probability is None else f"{finding.probability:.6g}"
                    label = finding.qualifiers.get("class", finding.code.meaning)
                    writer.writerow([_safe(str(row.label)), label, left, top, right, bottom, score])
    return stream.getvalue()


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") else cell
