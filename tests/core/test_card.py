import dataclasses

import pytest

from isocenter.core.card import PrepareStep


def test_a_step_is_data_that_cannot_change():
    step = PrepareStep("resize", {"rows": 64})
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.op = "crop"  # type: ignore[misc]
