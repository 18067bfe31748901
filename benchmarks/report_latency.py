"""One 2-D image, warm, from file to findings and to the whole folder, against the bars of 300 ms and 2 s.

No peer writes such a report, so the peer's column holds the bar. Needs the real data: ISOCENTER_DATA, default
../shared/data.
"""

import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from isocenter.app.context import ContextTable
from isocenter.app.read_files import ReadOptions, read_paths
from isocenter.zoo.predict import Models

DATA = Path(os.environ.get("ISOCENTER_DATA", "../shared/data"))
BAR_FINDINGS_S, BAR_REPORT_S = 0.3, 2.0
REPEATS = 7
PICTURES = (("breast-us", "busi_breast_us/benign/*.jpg"), ("fetal-head", "hc18_fetal_head_us/images/*.png"))


def run() -> list[dict[str, object]]:
    """Median of several calls after a warm-up, per task."""
    rows: list[dict[str, object]] = []
    models = Models()
    for task, pattern in PICTURES:
        files = sorted(DATA.glob(pattern))[: REPEATS + 1]
        context = ContextTable(shared={"pixel_size_mm": 0.15})
        options = ReadOptions(models, datetime.now(UTC), task, context=context)
        with tempfile.TemporaryDirectory() as folder:
            for what, out, bar in (("findings", None, BAR_FINDINGS_S), ("whole report", Path(folder), BAR_REPORT_S)):
                seconds = []
                for path in files:
                    began = time.perf_counter()
                    read_paths([path], out, options)
                    seconds.append(time.perf_counter() - began)
                median = statistics.median(seconds[1:])
                row = {"name": f"{task}, {what}", "ours": median, "peer": bar, "ratio": bar / median}
                rows.append({**row, "unit": "s (peer: the bar)"})
    return rows


if __name__ == "__main__":
    print(json.dumps(run()))
