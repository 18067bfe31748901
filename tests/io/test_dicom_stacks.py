"""Frames sorted into regular stacks."""

import numpy as np

from isocenter.io.dicom_frames import read_frames
from isocenter.io.dicom_scan import scan_file
from isocenter.io.dicom_stacks import sort_frames
from isocenter.io.inputs import InputFile

AXIAL = np.array([[0, 0, 0.5, 0], [0, 0.5, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])


def frames_of(paths):
    return [frame for path in paths for frame in read_frames(scan_file(InputFile(path, path, "dicom")))]


def stack(write_stack, folder, n, affine=AXIAL, **elements):
    return write_stack(folder, np.zeros((n, 4, 4), np.int16), affine, **elements)


def test_slices_are_sorted_along_the_normal_whatever_their_order(tmp_path, write_stack):
    paths = stack(write_stack, tmp_path, 5)
    result = sort_frames(frames_of([paths[i] for i in (3, 0, 4, 1, 2)]))
    (found,) = result.stacks
    assert [frame.position_mm[2] for frame in found.frames[0]] == [0, 3, 6, 9, 12]
    assert np.allclose(found.affine, AXIAL) and not result.problems


def test_orientations_come_apart_and_are_named(tmp_path, write_stack):
    coronal = np.array([[0, 0, 0.5, 0], [3.0, 0, 0, 0], [0, -0.5, 0, 0], [0, 0, 0, 1]])
    paths = stack(write_stack, tmp_path / "a", 3) + stack(write_stack, tmp_path / "b", 2, coronal)
    result = sort_frames(frames_of(paths))
    assert sorted(len(found.frames[0]) for found in result.stacks) == [2, 3]
    assert all("mixed-orientations: 2" in found.notes for found in result.stacks)


def test_a_localizer_stays_apart(tmp_path, write_stack):
    paths = stack(write_stack, tmp_path / "a", 3, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
    paths += stack(write_stack, tmp_path / "b", 1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert sorted(len(found.frames[0]) for found in sort_frames(frames_of(paths)).stacks) == [1, 3]


def test_shapes_and_spacings_come_apart(tmp_path, write_stack):
    wide = AXIAL.copy()
    wide[0, 2] = wide[1, 1] = 0.6
    paths = stack(write_stack, tmp_path / "a", 3) + stack(write_stack, tmp_path / "b", 2, wide)
    assert sorted(len(found.frames[0]) for found in sort_frames(frames_of(paths)).stacks) == [2, 3]


def test_echoes_of_one_place_become_volumes_of_their_own(tmp_path, write_stack):
    paths = stack(write_stack, tmp_path / "a", 3, Modality="MR", EchoTime="10")
    paths += stack(write_stack, tmp_path / "b", 3, Modality="MR", EchoTime="20")
    found = sort_frames(frames_of(paths)).stacks
    assert [(one.axis, one.frames[0][0].echo_ms) for one in found] == [("", 10.0), ("", 20.0)]


def test_a_stopped_scan_keeps_its_whole_volumes(tmp_path, write_stack):
    paths = []
    for moment in range(3):
        some = stack(
            write_stack, tmp_path / str(moment), 4, AcquisitionTime=f"10000{moment}", InstanceNumber=moment + 1
        )
        paths += some if moment < 2 else some[:2]
    (found,) = sort_frames(frames_of(paths)).stacks
    assert (len(found.frames), len(found.frames[0])) == (2, 4)
    assert "incomplete-volume-dropped: 2 slices" in found.notes


def test_places_that_repeat_unevenly_are_refused_by_name(tmp_path, write_stack):
    paths = stack(write_stack, tmp_path / "a", 4) + stack(write_stack, tmp_path / "b", 1)
    result = sort_frames(frames_of(paths))
    assert not result.stacks and "1 to 2 times" in result.problems[0]


def test_a_missing_slice_is_named(tmp_path, write_stack):
    paths = stack(write_stack, tmp_path, 7)
    result = sort_frames(frames_of(paths[:3] + paths[4:]))
    assert [len(found.frames[0]) for found in result.stacks] == [3, 3]
    assert "missing-slices: 1" in result.stacks[0].notes


def test_a_tilted_gantry_is_named(tmp_path, write_stack):
    tilted = AXIAL.copy()
    tilted[1, 0] = 0.8
    (found,) = sort_frames(frames_of(stack(write_stack, tmp_path, 4, tilted))).stacks
    assert "gantry-tilt: 14.9 deg" in found.notes and np.allclose(found.affine, tilted)


def test_projections_stand_alone(tmp_path, write_dicom):
    paths = [write_dicom(tmp_path / str(n), np.zeros((4, 4), np.uint16), Modality="DX") for n in range(2)]
    found = sort_frames(frames_of(paths)).stacks
    assert len(found) == 2 and all(one.affine is None for one in found)


def test_averages_over_directions_stay_beside_the_weighted_volumes(tmp_path, write_stack):
    weightings = [{"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}]
    weightings += [{"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [1.0 - n, 0.0 + n, 0.0]} for n in (0, 1)]
    paths = []
    for number, elements in enumerate(weightings):
        own = {"Modality": "MR", "InstanceNumber": number + 1, **elements}
        paths += stack(write_stack, tmp_path / str(number), 3, **own)
    volumes, trace = sort_frames(frames_of(paths)).stacks
    assert (volumes.axis, len(volumes.frames)) == ("diffusion", 3)
    assert (trace.axis, len(trace.frames)) == ("", 1) and "diffusion-trace" in trace.notes
