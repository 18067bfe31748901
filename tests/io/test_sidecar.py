"""The BIDS-style facts of a series."""

import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume
from isocenter.io.sidecar import describe_image

GRID = Grid.of_spacing((2, 3, 4), (2.5, 0.7, 0.8))


def test_times_are_seconds():
    parameters = (("echo_time_ms", 30.0), ("repetition_time_ms", 2500.0), ("flip_angle_deg", 90.0))
    found = describe_image(Volume(np.ones((2, 3, 4)), GRID, modality="MR", facts=Facts(parameters=parameters)))
    assert (found["EchoTime"], found["RepetitionTime"], found["FlipAngle"]) == (0.03, 2.5, 90.0)
    assert found["SpacingBetweenSlices"] == 2.5


def test_unknown_facts_are_left_out():
    found = describe_image(Volume(np.ones((2, 3, 4)), GRID))
    assert not {"Manufacturer", "KVP", "ImageType", "EchoTime"} & found.keys()


def test_slice_times_and_phase_direction_are_lists_and_axes():
    parameters = (("slice_times_s", "0.0000 1.5000"), ("phase_direction", "COL"), ("phase_positive", 0))
    found = describe_image(Volume(np.ones((2, 3, 4)), GRID, facts=Facts(parameters=parameters)))
    assert found["SliceTiming"] == [0.0, 1.5]
    assert (found["PhaseEncodingAxis"], found["PhaseEncodingDirection"]) == ("j", "j-")


@pytest.mark.parametrize(("times", "stated"), [((0, 1, 2), False), ((0, 1, 5), True)])
def test_uneven_times_are_listed(times, stated):
    cine = Cine(np.ones((3, 2, 3, 4)), np.array(times, float), GRID)
    assert ("VolumeTiming" in describe_image(cine)) == stated
