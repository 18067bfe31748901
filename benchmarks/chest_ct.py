"""Chest CT: a 300-slice 512 x 512 DICOM series from files to findings, and accuracy on scanned phantoms.

No peer reads a chest CT to measured, categorised findings, so the peer's column holds the bar of the project. Time and
peak memory are those of a fresh process that loads the series and reads it, without a report.
`python benchmarks/chest_ct.py` prints JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BAR_S, BAR_GB, BAR_DIAMETER_MM, BAR_AGATSTON = 60.0, 3.0, 0.5, 0.05
SEEDS = (7, 101, 102)
MATCH_MM = 3.0


def _child(folder: str) -> None:
    """In a fresh process: seconds and peak memory of loading and reading."""
    from datetime import UTC, datetime

    from isocenter.app.read_files import ReadOptions, read_paths
    from isocenter.zoo.predict import Models

    began = time.perf_counter()
    outcome = read_paths([Path(folder)], None, ReadOptions(Models(), datetime.now(UTC), "chest-ct"))
    seconds = time.perf_counter() - began
    # VmHWM, not ru_maxrss: the latter starts at what the parent held when it forked.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_gb = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9
    print(json.dumps({"s": seconds, "gb": peak_gb, "findings": len(outcome.reports[0].findings)}))


def measure_large() -> dict[str, float]:
    """A noisy 300-slice phantom written as DICOM and read by a fresh process."""
    from isocenter.app.demo_series import write_phantom_series
    from isocenter.imaging.phantoms import chest_phantom

    rng = np.random.default_rng(100)
    phantom = chest_phantom(rng, shape=(300, 512, 512), spacing_mm=(0.8, 0.65, 0.65), scan=None)
    noisy = phantom.volume.array + rng.normal(0, 15, phantom.volume.array.shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_phantom_series(phantom.volume.with_array(np.round(noisy).astype(np.int16)), Path(folder) / "ct")
        del phantom, noisy
        here = str(Path(__file__).parent)
        code = f"import sys; sys.path.insert(0, {here!r}); import chest_ct; chest_ct._child(sys.argv[1])"
        command = [sys.executable, "-c", code, str(Path(folder) / "ct")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_accuracy(seed: int) -> tuple[list[float], int, int, float]:
    """Diameter errors in mm, missed, false, and the relative Agatston error of one scanned phantom."""
    from isocenter.imaging.phantoms import chest_phantom
    from isocenter.reading.tasks.chest_ct import read_chest_ct

    phantom = chest_phantom(np.random.default_rng(seed))
    seen = read_chest_ct(phantom.volume, context={}, explain=False)
    found = [f for f in seen.findings if f.qualifiers["kind"] == "lung-nodule"]
    errors: list[float] = []
    for nodule in phantom.nodules:
        near = [
            f for f in found
            if np.linalg.norm(np.subtract(f.evidence[0].centre_lps_mm, nodule.body.centre_mm)) < MATCH_MM
        ]  # fmt: skip
        errors += [f.measurement("mean_diameter").value - nodule.mean_diameter_mm for f in near[:1]]
    score = seen.predictions.get("agatston_score", 0.0)
    off = abs(score / phantom.agatston_score - 1)
    return errors, len(phantom.nodules) - len(errors), len(found) - len(errors), off


def run() -> list[dict[str, Any]]:
    """Time, memory and accuracy against the bars."""
    large = measure_large()
    results = [measure_accuracy(seed) for seed in SEEDS]
    errors = [abs(error) for found, *_ in results for error in found]
    missed, false = sum(r[1] for r in results), sum(r[2] for r in results)
    what = f"{len(SEEDS)} scanned phantoms, {len(errors)} nodules found, {missed} missed, {false} false"
    figures = (
        ("300-slice 512 x 512 chest CT, files to findings", large["s"], BAR_S, "s"),
        ("300-slice 512 x 512 chest CT, peak memory", large["gb"], BAR_GB, "GB"),
        (f"mean diameter error ({what})", float(np.mean(errors)), BAR_DIAMETER_MM, "mm"),
        (f"largest diameter error ({what})", float(np.max(errors)), BAR_DIAMETER_MM, "mm"),
        ("largest Agatston error, share", max(r[3] for r in results), BAR_AGATSTON, "1"),
    )
    return [
        {"name": name, "ours": ours, "peer": bar, "ratio": bar / max(ours, 1e-9), "unit": f"{unit} (peer: the bar)"}
        for name, ours, bar, unit in figures
    ]


if __name__ == "__main__":
    print(json.dumps(run()))
