"""What the base install weighs, and how long `isocenter --help` takes, against the bars of 1.45 GB and 0.6 s.

Measures the .venv that `make demo` made; the peer's column holds the bar.
"""

import json
import statistics
import subprocess
import time
from pathlib import Path

VENV = Path(".venv")
BAR_MB, BAR_HELP_S, BAR_WEIGHTS_MB = 1450.0, 0.6, 40.0


def run() -> list[dict[str, object]]:
    """Size on disk of .venv, and the median of seven starts after a warm-up."""
    files = [path for path in VENV.rglob("*") if path.is_file() and not path.is_symlink()]
    size_mb = sum(path.stat().st_blocks * 512 for path in files) / 1e6
    seconds = []
    for _ in range(8):
        began = time.perf_counter()
        subprocess.run([VENV / "bin/isocenter", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    help_s = statistics.median(seconds[1:])
    weights = Path("src/isocenter/zoo/weights")
    weights_mb = sum(path.stat().st_size for path in weights.glob("*.isocenter")) / 1e6
    figures = (
        ("installed base", size_mb, BAR_MB, "MB"),
        ("isocenter --help", help_s, BAR_HELP_S, "s"),
        ("all model packages", weights_mb, BAR_WEIGHTS_MB, "MB"),
    )
    return [
        {"name": name, "ours": ours, "peer": bar, "ratio": bar / ours, "unit": f"{unit} (peer: the bar)"}
        for name, ours, bar, unit in figures
    ]


if __name__ == "__main__":
    print(json.dumps(run()))
