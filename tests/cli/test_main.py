import isocenter as package
from isocenter.cli.main import app


def test_help_lists_every_command(isocenter):
    code, out, _ = isocenter("--help")
    assert code == 0
    for command in app.registered_commands:
        assert command.name in out
    assert "Research software" in out


def test_version_is_the_packages(isocenter):
    assert isocenter("--version")[:2] == (0, f"isocenter {package.__version__}\n")


def test_wrong_usage_is_exit_2(isocenter):
    assert isocenter("read")[0] == 2
    assert isocenter("no-such-command")[0] == 2


def test_an_error_of_ours_is_one_line(isocenter, tmp_path):
    code, _, err = isocenter("read", tmp_path, "--out", tmp_path / "o", "--context", tmp_path / "none.json")
    assert code == 2 and err.count("\n") == 1 and err.startswith("isocenter: context none.json")
