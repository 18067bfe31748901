from datetime import UTC, datetime
from pathlib import Path

import pytest

from isocenter.app.settings import load_settings
from isocenter.core.errors import InputError


def test_flag_before_environment_before_default():
    assert load_settings(Path("/flag"), {"ISOCENTER_HOME": "/env"}).home == Path("/flag")
    assert load_settings(environ={"ISOCENTER_HOME": "/env"}).home == Path("/env")
    assert load_settings(environ={}).home == Path.home() / ".local/share/isocenter"


def test_source_date_epoch_fixes_the_time():
    assert load_settings(environ={"SOURCE_DATE_EPOCH": "86400"}).now() == datetime(1970, 1, 2, tzinfo=UTC)
    assert abs((load_settings(environ={}).now() - datetime.now(UTC)).total_seconds()) < 5
    with pytest.raises(InputError, match="whole seconds"):
        load_settings(environ={"SOURCE_DATE_EPOCH": "yesterday"})
