import json

import pytest


@pytest.mark.slow
def test_the_demo_agrees_with_the_truth(isocenter, tmp_path):
    code, out, err = isocenter("demo", "--out", tmp_path / "demo")
    assert code == 0, out + err
    assert "All inside the bounds." in out
    reports = [
        json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "demo/reports").glob("*/report.json")
    ]
    assert sum(bool(report["findings"]) for report in reports) == 1
