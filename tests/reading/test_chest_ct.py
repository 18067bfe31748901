import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume
from isocenter.imaging.phantoms import NoduleWish, chest_phantom
from isocenter.reading.tasks.chest_ct import read_chest_ct

WISHES = (NoduleWish(9.0), NoduleWish(14.0, "pleura"))


@pytest.fixture(scope="module")
def phantom():
    return chest_phantom(
        np.random.default_rng(5), shape=(80, 240, 240), spacing_mm=(2.5, 1.35, 1.35), wishes=WISHES, scan=None
    )


@pytest.fixture(scope="module")
def reading(phantom):
    return read_chest_ct(phantom.volume, context={"age": 60})


def _nodules(reading):
    return [f for f in reading.findings if f.qualifiers["kind"] == "lung-nodule"]


def test_the_phantoms_nodules_are_found_where_they_are_and_as_large_as_they_are(reading, phantom):
    found = _nodules(reading)
    assert reading.abstained is None
    for nodule in phantom.nodules:
        near = [f for f in found if np.linalg.norm(np.subtract(f.evidence[0].centre_lps_mm, nodule.body.centre_mm)) < 2]
        assert len(near) == 1
        assert abs(near[0].measurement("mean_diameter").value - nodule.mean_diameter_mm) < 0.5


def test_every_nodule_has_a_mask_and_both_categories(reading, phantom):
    for finding in _nodules(reading):
        assert finding.evidence[0].mask.grid.shape == phantom.volume.grid.shape
        assert [c.rule for c in finding.categories] == ["fleischner_2017", "lung_rads_2022"]


def test_calcium_scores_as_on_the_noise_free_grid(reading, phantom):
    scored = [f for f in reading.findings if f.qualifiers["kind"] == "vascular-calcification"]
    assert abs(scored[0].measurement("agatston_score").value / phantom.agatston_score - 1) < 0.05


def test_a_turned_volume_gives_the_same_places(reading, phantom):
    volume = phantom.volume
    turned = volume.array.transpose(2, 0, 1)[:, ::-1]
    affine = volume.grid.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 1] * (turned.shape[1] - 1)
    affine[:3, 1] *= -1
    other = read_chest_ct(Volume(turned, Grid(turned.shape, affine), "HU", "CT"), context={}, explain=False)
    places = [[f.evidence[0].centre_lps_mm for f in _nodules(r)] for r in (reading, other)]
    assert np.allclose(*places, atol=0.05)


def test_each_nodule_has_a_picture(reading):
    assert {f.name for f in reading.figures} >= {f"{f.id}-nodule" for f in _nodules(reading)} | {"overview"}


def test_contrast_agent_stops_the_calcium_score(phantom):
    small = phantom.volume
    volume = Volume(small.array, small.grid, "HU", "CT", Facts(contrast=True))
    reading = read_chest_ct(volume, context={}, explain=False)
    assert ("calcium-not-scored", {"why": "contrast-given"}) in reading.statements


@pytest.mark.parametrize(
    ("array", "unit", "spacing", "code"),
    [
        (np.zeros((30, 64, 64)), "a.u.", (1.0, 1.0, 1.0), "wrong-input"),
        (np.full((30, 64, 64), -1000.0), "HU", (2.0, 2.0, 2.0), "wrong-input"),
        (np.zeros((1, 64, 64)), "HU", (1.0, 1.0, 1.0), "wrong-input"),
        (np.zeros((30, 64, 64)), "HU", (8.0, 1.0, 1.0), "quality"),
        (np.full((30, 64, 64), np.nan), "HU", (2.0, 2.0, 2.0), "quality"),
    ],
)
def test_what_is_no_chest_ct_ends_in_a_reason(array, unit, spacing, code):
    volume = Volume(array.astype(np.float32), Grid.of_spacing(array.shape, spacing), unit, "CT")
    assert read_chest_ct(volume, context={}).abstained.code == code
