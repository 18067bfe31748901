from pathlib import Path

from isocenter.cli.exits import batch_code, tell_failures
from isocenter.core.study import InputFailure

FAILED = (InputFailure(Path("a.dcm"), "expected DICOM, got a text"),)


def test_exit_codes_are_the_contracts():
    assert batch_code(2, ()) == 0
    assert batch_code(2, FAILED) == 4
    assert batch_code(0, FAILED) == 3
    assert batch_code(0, ()) == 3


def test_each_failure_is_one_line_on_standard_error(capsys):
    tell_failures(FAILED)
    assert capsys.readouterr() == ("", "isocenter: a.dcm: expected DICOM, got a text\n")
