"""Runs the console script in this process."""

import sys

import pytest


@pytest.fixture
def isocenter(monkeypatch, capsys, tmp_path):
    """`isocenter("read", …)` -> (exit code, standard output, standard error)."""
    monkeypatch.setenv("ISOCENTER_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str, str]:
        from isocenter.cli.main import main

        monkeypatch.setattr(sys, "argv", ["isocenter", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
