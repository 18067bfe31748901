import json

from isocenter.app.bench import results_table, run_benchmarks

GOOD = 'import json\nprint(json.dumps([{"name": "load", "ours": 0.5, "peer": 1.0, "ratio": 2.0, "unit": "s"}]))\n'


def test_rows_are_kept_per_benchmark_with_machine_and_date(tmp_path):
    (tmp_path / "load.py").write_text(GOOD, encoding="utf-8")
    told: list[str] = []
    assert run_benchmarks(tmp_path, None, tell=told.append) == ()
    stored = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert stored["load"]["rows"][0]["ratio"] == 2.0 and "cores" in stored["load"]["machine"]
    assert "| load | 0.5 | 1 | 2 | s |" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")


def test_a_benchmark_that_dies_is_named_and_earlier_rows_stay(tmp_path):
    (tmp_path / "load.py").write_text(GOOD, encoding="utf-8")
    run_benchmarks(tmp_path, "load", tell=lambda line: None)
    (tmp_path / "load.py").write_text("raise SystemExit('no peer installed')\n", encoding="utf-8")
    assert run_benchmarks(tmp_path, "load", tell=lambda line: None) == ("load",)
    assert "load" in json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))


def test_an_empty_table_is_a_heading():
    assert results_table({}).startswith("# Measured against peers")
