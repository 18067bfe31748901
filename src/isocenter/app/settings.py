"""What the environment says, read in this one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    home          keys, models and later the archive: $ISOCENTER_HOME, else ~/.local/share/isocenter
    fixed_now     the time that reports carry, from SOURCE_DATE_EPOCH; None: the clock
    """

    home: Path
    fixed_now: datetime | None = None

    def now(self) -> datetime:
        """The time that goes into a report."""
        return self.fixed_now or datetime.now(UTC)


def load_settings(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings with flags before environment before defaults.

    home   the `--home` flag

    Raises InputError if SOURCE_DATE_EPOCH is no whole number of seconds.
    """
    env = os.environ if environ is None else environ
    folder = home or Path(env.get("ISOCENTER_HOME") or Path.home() / ".local/share/isocenter")
    epoch = env.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return Settings(folder)
    try:
        return Settings(folder, datetime.fromtimestamp(int(epoch), UTC))
    except (ValueError, OverflowError, OSError) as error:
        wanted = "expected whole seconds since 1970, got something else"
        raise InputError(f"SOURCE_DATE_EPOCH: {wanted}; correct or unset it") from error
