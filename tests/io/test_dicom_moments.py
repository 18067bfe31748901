"""What orders the frames of one place."""

import numpy as np

from isocenter.io.dicom_frames import read_frames
from isocenter.io.dicom_moments import order_moments
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile

AXIAL = np.diag([3.0, 1, 1, 1])[[2, 1, 0, 3]]


def volumes(write_stack, folder, moments, n_slices=2):
    """One volume of frames per dict of elements."""
    found = []
    for number, elements in enumerate(moments):
        own = {"Modality": "MR", "InstanceNumber": number + 1, **elements}
        paths = write_stack(folder / str(number), np.zeros((n_slices, 2, 2), np.int16), AXIAL, **own)
        found.append([read_frames(scan_file(InputFile(path, path, "dicom")))[0] for path in paths])
    return found


def numbers(moments):
    return [int(volume[0].steps["InstanceNumber"][0]) for volume in moments.frames]


def test_one_moment_has_no_axis(tmp_path, write_stack):
    assert order_moments(volumes(write_stack, tmp_path, [{}])).axis == ""


def test_acquisition_times_order_and_clock_the_volumes(tmp_path, write_stack):
    times = [{"AcquisitionTime": time} for time in ("120003.5", "120000.0", "120007.0")]
    moments = order_moments(volumes(write_stack, tmp_path, times))
    assert moments.axis == "time" and moments.times_s.tolist() == [0, 3.5, 7] and numbers(moments) == [2, 1, 3]


def test_times_run_on_over_midnight(tmp_path, write_stack):
    times = [("20240101", "235959"), ("20240102", "000001")]
    elements = [{"AcquisitionDate": date, "AcquisitionTime": time} for date, time in times]
    assert order_moments(volumes(write_stack, tmp_path, elements)).times_s.tolist() == [0, 2]


def test_trigger_times_are_milliseconds(tmp_path, write_stack):
    moments = order_moments(volumes(write_stack, tmp_path, [{"TriggerTime": "40"}, {"TriggerTime": "0"}]))
    assert moments.times_s.tolist() == [0, 0.04] and numbers(moments) == [2, 1]


def test_without_a_clock_the_repetition_time_counts(tmp_path, write_stack):
    moments = order_moments(volumes(write_stack, tmp_path, [{"RepetitionTime": "2500"}] * 3))
    assert moments.times_s.tolist() == [0, 2.5, 5] and moments.notes == ("times-from-repetition-time",)


def test_without_anything_frames_are_only_numbered(tmp_path, write_stack):
    moments = order_moments(volumes(write_stack, tmp_path, [{"Modality": "CT"}] * 2))
    assert (moments.axis, moments.notes) == ("frame", ("frame-times-unknown",))


def test_several_weightings_are_diffusion_in_instance_order(tmp_path, write_stack):
    weightings = [
        {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [0.0, 1, 0]},
        {"DiffusionBValue": 0.0},
        {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [1.0, 0, 0]},
    ]
    moments = order_moments(volumes(write_stack, tmp_path, weightings))
    assert moments.axis == "diffusion"
    assert [volume[0].diffusion.b_value for volume in moments.frames] == [1000, 0, 1000]
