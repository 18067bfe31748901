"""The demonstration: sample studies are made, read end to end, and held against what is known of them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from isocenter.app.demo_series import write_phantom_series
from isocenter.app.read_files import Outcome, ReadOptions, read_paths
from isocenter.app.settings import Settings
from isocenter.core.finding import Finding
from isocenter.core.report import Report
from isocenter.imaging.phantoms import ChestPhantom, chest_phantom
from isocenter.zoo.predict import Models

SEED = 7
# Files of real scanners that pydicom carries; none fits a task yet, so each must end in a named reason, not in a guess.
REAL_FILES = ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "JPEG2000.dcm", "examples_palette.dcm")
# The bar for the phantom: diameter in mm, Agatston score as a share.
MAX_DIAMETER_ERROR_MM = 0.5
MAX_AGATSTON_ERROR = 0.05
# How far a finding's centre may lie from a nodule's and still be that nodule.
MATCH_MM = 5.0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What came out. agrees: whether every comparison is inside its bound."""

    summary: str
    agrees: bool


def run_demo(out: Path, settings: Settings, language: str, *, tell: Callable[[str], None]) -> DemoResult:
    """Make the sample studies under `out/samples`, read them into `out/reports`, and compare with the truth."""
    tell("Making a chest CT phantom: projected, noised, reconstructed, written as DICOM …")
    phantom = chest_phantom(np.random.default_rng(SEED))
    samples = out / "samples"
    write_phantom_series(phantom.volume, samples / "chest-phantom")
    options = ReadOptions(Models(settings.home), settings.now(), language=language)
    tell("Reading it …")
    outcome = read_paths([samples / "chest-phantom"], out / "reports", options)
    lines, agrees = _compare(outcome, phantom)
    for line in lines:
        tell(line)
    tell("\nReading files of real scanners that no task fits …")
    with as_file(files("pydicom").joinpath("data/test_files")) as folder:
        others = read_paths([folder / name for name in REAL_FILES], out / "reports", options)
    for report in others.reports:
        tell(f"    {report.study.modality or '?':3} {report.abstained_reason or report.sections['impression']}")
    silent = all(report.abstained for report in others.reports) and len(others.reports) == len(REAL_FILES)
    agrees = agrees and silent
    verdict = "All inside the bounds." if agrees else "NOT all inside the bounds."
    return DemoResult(f"{len(outcome.reports) + len(others.reports)} studies read. {verdict}", agrees)


def _compare(outcome: Outcome, phantom: ChestPhantom) -> tuple[list[str], bool]:
    """Nodule by nodule and the calcium score against the phantom's truth."""
    if not outcome.reports or outcome.reports[0].abstained:
        return [
            "    the phantom was not read: " + (outcome.reports[0].abstained_reason if outcome.reports else "")
        ], False
    report = outcome.reports[0]
    found = [finding for finding in report.findings if finding.qualifiers.get("kind") == "lung-nodule"]
    lines, agrees = [f"    {'nodule':>8} {'true mm':>8} {'read mm':>8} {'error':>6}"], True
    matched: set[str] = set()
    for number, nodule in enumerate(phantom.nodules, 1):
        centre = np.asarray(nodule.body.centre_mm)
        near = min(found, key=lambda finding: _distance_mm(finding, centre), default=None)
        true_mm = nodule.mean_diameter_mm
        if near is None or _distance_mm(near, centre) > MATCH_MM:
            lines.append(f"    {number:>8} {true_mm:8.2f}  missed")
            agrees = False
            continue
        matched.add(near.id)
        read_mm = near.measurement("mean_diameter").value
        agrees = agrees and abs(read_mm - true_mm) <= MAX_DIAMETER_ERROR_MM
        lines.append(f"    {number:>8} {true_mm:8.2f} {read_mm:8.2f} {read_mm - true_mm:+6.2f}")
    extra = len(found) - len(matched)
    lines.append(f"    {len(found)} found, {extra} of them no nodule of the phantom")
    line, close = _compare_calcium(report, phantom)
    return [*lines, line], agrees and close and extra == 0


def _distance_mm(finding: Finding, centre: np.ndarray) -> float:
    places = [evidence.centre_lps_mm for evidence in finding.evidence if evidence.centre_lps_mm is not None]
    return min((float(np.linalg.norm(np.asarray(place) - centre)) for place in places), default=float("inf"))


def _compare_calcium(report: Report, phantom: ChestPhantom) -> tuple[str, bool]:
    scored = [f for f in report.findings if f.qualifiers.get("kind") == "vascular-calcification"]
    read = scored[0].measurement("agatston_score").value if scored else 0.0
    true = phantom.agatston_score
    error = abs(read - true) / max(true, 1.0)
    return f"    Agatston score: true {true:.0f}, read {read:.0f} ({error:.1%} off)", error <= MAX_AGATSTON_ERROR
