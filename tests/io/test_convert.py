"""Conversion: 48 directions survive DICOM → NIfTI → volume; names, sidecars, gradients."""

import hashlib
import json
from dataclasses import replace
from itertools import permutations, product

import nibabel
import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Source, Volume
from isocenter.io.convert import convert_series, series_name
from isocenter.io.dicom import read_series
from isocenter.io.nifti import read_nifti

GRID = Grid.of_spacing((2, 3, 4), (2.5, 0.7, 0.8))
TURNS = [
    np.eye(3)[list(order)] * np.array(signs)[:, None]
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


@pytest.mark.parametrize("turn", TURNS)
def test_every_voxel_keeps_its_place_for_all_48_directions(tmp_path, write_stack, turn):
    """The affine may be left-handed: then the slices are written in falling order, and sorted again by the reader."""
    affine = np.eye(4)
    affine[:3, :3] = turn * (3.0, 0.7, 0.9)
    affine[:3, 3] = (-101.25, 52.5, 7.75)
    voxels = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    (volume,) = read_series(write_stack(tmp_path / "in", voxels, affine))
    (nifti, _) = convert_series(volume, tmp_path / "out")
    back = read_nifti(nifti)
    grid = Grid((2, 3, 4), affine)
    for image in (volume, back):
        for index in np.ndindex(2, 3, 4):
            found = image.grid.to_index(grid.to_world_mm(np.array(index)))
            nearest = np.rint(found).astype(int)
            assert np.abs(found - nearest).max() < 1e-3
            assert image.array[tuple(nearest)] == voxels[index]
    assert np.abs(volume.grid.affine - back.grid.affine).max() < 1e-3


def test_the_name_is_the_hash_of_the_series_and_its_part():
    volume = Volume(np.ones((2, 3, 4), np.int16), GRID, source=Source("dicom", series_uid="2.25.2"))
    name = hashlib.sha256(b"2.25.2").hexdigest()[:16]
    assert series_name(volume) == name
    assert series_name(replace(volume, facts=Facts(notes=("series-part: 2 of 3",)))) == f"{name}_2"


def test_rescaled_values_are_stored_as_whole_numbers(tmp_path):
    stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    values = (stored * 1.8593).astype(np.float32)
    facts = Facts(parameters=(("rescale_slope", 1.8593), ("rescale_intercept", 0.0)))
    path = convert_series(Volume(values, GRID, facts=facts), tmp_path)[0]
    peer = nibabel.load(path)
    assert peer.get_data_dtype() == np.int16 and np.allclose(peer.get_fdata().T, values, rtol=1e-6)


def test_diffusion_gets_gradients_and_comes_back(tmp_path):
    bvecs = np.array([[0.0, 0, 0], [0.6, 0, 0.8]])
    cine = Cine(
        np.ones((2, 2, 3, 4), np.int16),
        np.arange(2.0),
        GRID,
        axis="diffusion",
        bvals=np.array([0.0, 1000]),
        bvecs=bvecs,
    )
    written = convert_series(cine, tmp_path)
    assert [path.suffix for path in written] == [".gz", ".json", ".bval", ".bvec"]
    back = read_nifti(written[0])
    assert back.axis == "diffusion" and np.allclose(back.bvecs, bvecs, atol=1e-5) and back.bvals.tolist() == [0, 1000]


def test_modality_and_unit_come_back_from_the_sidecar(tmp_path):
    path = convert_series(Volume(np.ones((2, 3, 4), np.int16), GRID, "HU", "CT"), tmp_path)[0]
    back = read_nifti(path)
    assert (back.unit, back.modality) == ("HU", "CT")


def test_nrrd_is_written_and_other_forms_are_refused(tmp_path):
    volume = Volume(np.ones((2, 3, 4), np.int16), GRID)
    assert [path.suffix for path in convert_series(volume, tmp_path, "nrrd")] == [".nrrd", ".json"]
    with pytest.raises(InputError, match="nifti or nrrd"):
        convert_series(volume, tmp_path, "mat")


def test_the_sidecar_names_nobody(tmp_path, write_stack):
    paths = write_stack(
        tmp_path / "in", np.ones((2, 3, 4), np.int16), GRID.affine, PatientName="Test^Person", PatientID="77-12"
    )
    (volume,) = read_series(paths)
    text = convert_series(volume, tmp_path / "out")[1].read_text()
    assert "Person" not in text and "77-12" not in text
    assert json.loads(text)["Modality"] == "CT"
