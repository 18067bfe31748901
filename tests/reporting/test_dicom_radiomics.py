import subprocess
from dataclasses import replace

import highdicom
import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.radiomics import extract_features
from isocenter.imaging.features.radiomics_config import builtin_configs
from isocenter.reporting.dicom_radiomics import _ucum, build_feature_sr
from isocenter.reporting.dicom_source import SourceSeries


@pytest.fixture(scope="module")
def region(samples):
    """A sample series with a region of two pieces, and its features."""
    sample = samples.chest()
    array = np.zeros(sample.volume.grid.shape, bool)
    array[3:7, 20:33, 24:40] = True
    array[4, 50:53, 10:12] = True
    mask = Mask(array, sample.volume.grid)
    noise = np.random.default_rng(0).integers(-80, 120, array.shape)
    image = sample.volume.with_array(noise.astype(np.int16))
    return sample, mask, extract_features(image, mask, builtin_configs()["ibsi-c"])


def build(region, features=None):
    sample, mask, found = region
    headers = next(iter(sample.headers.values()))
    return build_feature_sr(
        found if features is None else features,
        mask,
        report=replace(sample.report, findings=(), sentences=(), sections={}),
        series=SourceSeries(headers, sample.volume.source.instances),
    )


def test_the_validator_finds_no_error(region, dicom_errors):
    assert dicom_errors(build(region)) == []


def test_dcmtk_prints_ibsi_codes(region, tool, tmp_path):
    build(region).save_as(tmp_path / "sr.dcm", enforce_file_format=True)
    done = subprocess.run(
        [tool("dsrdump"), "+Pc", str(tmp_path / "sr.dcm")], capture_output=True, text=True, check=True
    )
    assert "ACUI,IBSI" in done.stdout
    assert "IAZD,IBSI" in done.stdout


def test_every_value_comes_back_with_code_unit_and_aggregation(region, as_written):
    features = region[2]
    (group,) = highdicom.sr.srread(as_written(build(region))).content.get_volumetric_roi_measurement_groups()
    known = [feature for feature in features if feature.value is not None]
    measured = list(group.get_measurements())
    assert len(measured) == len(known) == 214
    for feature, found in zip(known, measured, strict=True):
        assert found.name.scheme_designator == "IBSI"
        assert found.name.value == feature.ibsi_id.rpartition("/")[2]
        assert np.isclose(float(found.value), feature.value, rtol=1e-8)
        assert (found.method is None) == (feature.aggregation == "n/a")
    by_code = {found.name.value: found.unit.value for found in measured}
    assert (by_code["RNU0"], by_code["Q4LE"], by_code["ECT3"]) == ("mm3", "[hnsf'U]", "[hnsf'U]2")


def test_outlines_enclose_the_region_on_its_slices(region, as_written):
    _, mask, _ = region
    (group,) = highdicom.sr.srread(as_written(build(region))).content.get_volumetric_roi_measurement_groups()
    outlines = [outline.value for outline in group.roi]
    assert len(outlines) == 4 + 1
    area = 0.0
    for points in outlines:
        x, y = points[:, 0], points[:, 1]
        area += abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
        assert x.min() >= 10 and x.max() <= 40
    # Each outline runs a sixth of a pixel inside the edge.
    assert 0.9 * mask.n_voxels < area < mask.n_voxels


def test_equal_input_gives_an_equal_document(region, as_written):
    assert as_written(build(region)).getvalue() == as_written(build(region)).getvalue()
    fewer = build(region, region[2][:50])
    assert fewer.SOPInstanceUID != build(region).SOPInstanceUID


def test_nothing_to_say_is_no_document(region):
    with pytest.raises(InputError, match="at least one value"):
        build(region, [replace(region[2][0], value=None)])


def test_units_are_written_as_ucum_does():
    assert [_ucum(unit) for unit in ("HU", "HU2", "(a.u.)2", "mm3", "1", "HU.mm3")] == [
        "[hnsf'U]", "[hnsf'U]2", "[arb'U]2", "mm3", "1", "[hnsf'U].mm3"
    ]  # fmt: skip
