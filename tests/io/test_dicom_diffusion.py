"""Diffusion weighting, by the standard and by vendor."""

import numpy as np
import pytest

from isocenter.io.dicom_diffusion import read_diffusion

AXIAL = (1.0, 0, 0, 0, 1, 0)


def read(manufacturer="", **values):
    return read_diffusion(lambda name: values.get(name, ()), manufacturer)


def test_nothing_stated_is_nothing():
    assert read() is None and read("SIEMENS") is None


def test_the_standard_elements_come_first():
    found = read(
        "SIEMENS", DiffusionBValue=(700.0,), DiffusionGradientOrientation=(0.0, 2.0, 0.0), SiemensBValue=(5.0,)
    )
    assert found.b_value == 700 and found.direction == (0, 1, 0)


def test_no_weighting_has_no_direction():
    assert read(DiffusionBValue=(0.0,), DiffusionGradientOrientation=(0.0, 1.0, 0.0)).direction == (0, 0, 0)


def test_siemens_directions_lie_in_the_patient():
    found = read("SIEMENS", SiemensBValue=(1000.0,), SiemensDirection=(0.6, 0.0, -0.8))
    assert found.b_value == 1000 and np.allclose(found.direction, (0.6, 0, -0.8))


def test_philips_directions_are_three_elements():
    values = {
        "PhilipsBValue": (800.0,),
        **{f"PhilipsDirection{axis}": (v,) for axis, v in zip("XYZ", (0, 0.6, 0.8), strict=True)},
    }
    assert np.allclose(read("Philips Medical Systems", **values).direction, (0, 0.6, 0.8))


@pytest.mark.parametrize("stated", [1000.0, 1_000_001_000.0])
def test_ge_adds_a_thousand_million_and_turns_the_slice_axis(stated):
    values = {"GEBValue": (stated, 8.0, 0.0, 0.0), "ImageOrientationPatient": AXIAL}
    values |= {f"GEDirection{axis}": (v,) for axis, v in zip("XYZ", (0.6, 0.0, 0.8), strict=True)}
    found = read("GE MEDICAL SYSTEMS", **values)
    assert found.b_value == 1000 and np.allclose(found.direction, (0.6, 0, -0.8))
    turned = read("GE MEDICAL SYSTEMS", **values, InPlanePhaseEncodingDirection=("ROW",))
    assert np.allclose(turned.direction, (0, -0.6, -0.8))


def test_an_impossible_weighting_is_none():
    assert read(DiffusionBValue=(-1.0,)) is None and read(DiffusionBValue=(float("nan"),)) is None
