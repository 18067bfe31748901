"""Chest CT: accuracy on phantoms, and time and peak memory of a 300-slice 512 x 512 scan.

Run: python benchmarks/chest_ct.py [--seeds 3] [--large]
"""

import argparse
import resource
import time

import numpy as np

from isocenter.imaging.phantoms import ChestPhantom, NoduleWish, chest_phantom
from isocenter.imaging.phantoms_scan import ScanSettings
from isocenter.reading.tasks.chest_ct import read_chest_ct

WISHES = (
    NoduleWish(4.0), NoduleWish(5.0, "pleura"), NoduleWish(6.0, "vessel"), NoduleWish(8.0, "vessel", 60.0, 1.1),
    NoduleWish(10.0, "pleura", -20.0), NoduleWish(13.0), NoduleWish(18.0, "pleura", 40.0),
)  # fmt: skip


def score(phantom: ChestPhantom, seen) -> tuple[list[float], int, int, float]:
    """Diameter errors, missed, false, relative Agatston error."""
    found = [f for f in seen.findings if f.qualifiers["kind"] == "lung-nodule"]
    errors, used = [], set()
    for nodule in phantom.nodules:
        near = [f for f in found if np.linalg.norm(np.subtract(f.evidence[0].centre_lps_mm, nodule.body.centre_mm)) < 3]
        if near:
            used.add(near[0].id)
            errors.append(near[0].measurement("mean_diameter").value - nodule.mean_diameter_mm)
    true = phantom.agatston_score
    calcium = seen.predictions.get("agatston_score", 0.0) / true - 1 if true else 0.0
    return errors, len(phantom.nodules) - len(errors), len(found) - len(used), calcium


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    large = {"shape": (300, 512, 512), "spacing_mm": (0.8, 0.65, 0.65), "scan": None} if options.large else {}
    every: list[float] = []
    for seed in range(1 if options.large else options.seeds):
        phantom = chest_phantom(np.random.default_rng(100 + seed), wishes=WISHES, **{"scan": ScanSettings(), **large})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        wall, cpu = time.perf_counter(), time.process_time()
        seen = read_chest_ct(phantom.volume, context={})
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        errors, missed, false, calcium = score(phantom, seen)
        every += errors
        print(
            f"seed {seed}: found {len(errors)}, missed {missed}, false {false}, "
            f"largest diameter error {max(map(abs, errors), default=0):.2f} mm, Agatston {calcium:+.1%}, "
            f"{wall:.1f} s wall, {cpu:.1f} s CPU, peak {after:.0f} MiB (before reading {before:.0f})"
        )
    print(f"all: mean |error| {np.mean(np.abs(every)):.3f} mm, largest {np.max(np.abs(every)):.3f} mm, n {len(every)}")


if __name__ == "__main__":
    main()
