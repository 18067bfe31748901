"""The 107 classic radiomic features of a 64 x 64 x 64 region: ours against pyradiomics.

Ours (which computes 41 more in the same call) and the peer's runs alternate; the figure is the median in milliseconds,
the ratio is the peer's over ours. The last rows count the features on which both agree to one part in 10,000.

pyradiomics has no wheel for this Python and lives in an environment of its own:

    python -m venv peer
    peer/bin/pip install numpy versioneer cython setuptools wheel SimpleITK PyWavelets pykwalify six
    peer/bin/pip install --no-build-isolation pyradiomics==3.0.1

Then `python benchmarks/radiomics.py --python peer/bin/python`, or ISOCENTER_PYRADIOMICS=peer/bin/python before
`isocenter bench radiomics`. Prints JSON; `--runs N` shortens it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.radiomics import extract_features, feature_table
from isocenter.imaging.features.radiomics_config import builtin_configs

# Runs in the peer's environment: one line in, one extraction, one line of seconds and values out.
PEER = """
import json, logging, sys, time
import numpy as np, SimpleITK as sitk
logging.getLogger("radiomics").setLevel(logging.CRITICAL)
from radiomics import featureextractor
given = np.load(sys.argv[1])
image, mask = (sitk.GetImageFromArray(given[name]) for name in ("image", "mask"))
extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25)
for _ in sys.stdin:
    start = time.perf_counter()
    found = extractor.execute(image, mask)
    took = time.perf_counter() - start
    values = {name[9:]: float(value) for name, value in found.items() if name.startswith("original_")}
    print(json.dumps([took, values]), flush=True)
"""
# What pyradiomics calls a feature -> our tag; kurtosis is 3 more there.
NAMES = json.loads(Path(__file__).with_name("radiomics_names.json").read_text(encoding="utf-8"))


def regions() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Smoothed noise with a box and with a ball of 64 voxels across."""
    from scipy.ndimage import gaussian_filter

    image = gaussian_filter(np.random.default_rng(0).normal(size=(96, 96, 96)), 1.5).astype(np.float32) * 200 + 50
    places = np.indices(image.shape) - 47.5
    return {
        "box of 64 x 64 x 64": (image, np.pad(np.ones((64, 64, 64), bool), 16)),
        "ball of 64 across": (image, (places**2).sum(axis=0) <= 32**2),
    }


def run(python: str, n_runs: int = 5) -> list[dict[str, str | float]]:
    """Two rows per region: time, and how many features agree."""
    rows: list[dict[str, str | float]] = []
    config = builtin_configs()["classic"]
    for name, (image, mask) in regions().items():
        grid = Grid.of_spacing(image.shape, (1.0, 1.0, 1.0))
        volume, region = Volume(image, grid, "HU"), Mask(mask, grid)
        ours_s: list[float] = []
        peer_s: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            np.savez(Path(folder) / "case.npz", image=image, mask=mask.astype(np.uint8))
            command = [python, "-c", PEER, str(Path(folder) / "case.npz")]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as peer:
                for turn in range(n_runs + 1):
                    start = time.perf_counter()
                    ours = feature_table(extract_features(volume, region, config))
                    took = time.perf_counter() - start
                    print("go", file=peer.stdin, flush=True)
                    theirs_took, theirs = json.loads(peer.stdout.readline())
                    if turn:  # the first loads and compiles
                        ours_s.append(took)
                        peer_s.append(theirs_took)
                peer.stdin.close()
        ours_ms, peer_ms = (1000 * statistics.median(each) for each in (ours_s, peer_s))
        agree = sum(_is_close(theirs[peer_name], ours[tag], peer_name) for peer_name, tag in NAMES.items())
        rows += [
            {"name": f"107 classic features, {name} (pyradiomics)", "ours": round(ours_ms, 1),
             "peer": round(peer_ms, 1), "ratio": round(peer_ms / ours_ms, 2), "unit": "ms"},
            {"name": f"features that agree, {name} (pyradiomics)", "ours": agree, "peer": len(theirs),
             "ratio": round(agree / len(theirs), 3), "unit": "features"},
        ]  # fmt: skip
    return rows


def _is_close(theirs: float, ours: float, name: str) -> bool:
    offset = 3.0 if name == "firstorder_Kurtosis" else 0.0
    return bool(np.isclose(theirs - offset, ours, rtol=1e-4, atol=1e-9))


def _has_peer(python: str) -> bool:
    done = subprocess.run([python, "-c", "import radiomics"], capture_output=True, check=False)
    return done.returncode == 0


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=os.environ.get("ISOCENTER_PYRADIOMICS", sys.executable))
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    if not _has_peer(arguments.python):
        sys.exit(
            f"radiomics: expected a Python with pyradiomics, {arguments.python} has none; see benchmarks/radiomics.py"
        )
    print(json.dumps(run(arguments.python, arguments.runs), indent=2))


if __name__ == "__main__":
    main()
