import sys

from isocenter.cli.progress import progress


def test_nothing_is_shown_where_there_is_no_terminal(capsys):
    with progress("reading") as step:
        step()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_how_many_are_done(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("reading") as step:
        step()
        step()
    assert capsys.readouterr().out == ""
