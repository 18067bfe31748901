"""The tables against a second reading of the guidelines, written as code, over the whole range of sizes."""

import itertools

import pytest

from isocenter.knowledge.rules import apply_rule

# Whole tenths below 41 mm, as they would be measured.
SIZES_MM = [tenths / 10 for tenths in range(0, 411)]


def fleischner_solid(size_mm: int, count: str, risk: str) -> str:
    """MacMahon 2017, recommendations 1 and 2."""
    if size_mm < 6:
        return {"low": "none", "high": "optional-12", "unknown": "small-either-risk"}[risk]
    if size_mm > 8 and count == "single":
        return "3-pet-biopsy"
    first = "6-12" if count == "single" else "3-6"
    return first + {"low": "-consider-18-24", "high": "-then-18-24", "unknown": "-either-risk"}[risk]


@pytest.mark.parametrize("count", ["single", "multiple"])
@pytest.mark.parametrize("risk", ["low", "high", "unknown"])
def test_fleischner_solid_at_every_tenth(count: str, risk: str):
    for size_mm in SIZES_MM:
        whole = int(size_mm + 0.5)
        category = apply_rule("fleischner_2017", {"kind": "solid", "d": size_mm, "count": count, "risk": risk})
        assert category.management == fleischner_solid(whole, count, risk), size_mm
        assert category.value == ("<6 mm" if whole < 6 else "6-8 mm" if whole <= 8 else ">8 mm"), size_mm


@pytest.mark.parametrize("kind", ["ggn", "part"])
def test_fleischner_subsolid_at_every_tenth(kind: str):
    for size_mm, solid_mm in itertools.product(SIZES_MM[::5], (0.0, 5.4, 5.5, 12.0)):
        given = {"kind": kind, "d": size_mm, "solid": solid_mm, "risk": "low"}
        small = int(size_mm + 0.5) < 6
        several = apply_rule("fleischner_2017", {**given, "count": "multiple"})
        assert several.management == f"multiple-subsolid-{'small' if small else 'large'}"
        large = "ggn-6-12" if kind == "ggn" else "part-3-6-annual" if int(solid_mm + 0.5) < 6 else "part-suspicious"
        single = apply_rule("fleischner_2017", {**given, "count": "single"})
        assert single.management == ("none" if small else large), (size_mm, solid_mm)


def lung_rads_solid(size_mm: float, new: int, growing: int) -> str:
    """Lung-RADS v2022, solid nodules."""
    if growing:
        return "4A" if size_mm < 8 else "4B"
    steps = ((4, "2"), (6, "3"), (8, "4A")) if new else ((6, "2"), (8, "3"), (15, "4A"))
    return next((value for limit, value in steps if size_mm < limit), "4B")


def lung_rads_part(size_mm: float, solid_mm: float, new: int, growing: int) -> str:
    """Lung-RADS v2022, part-solid nodules."""
    if new and not growing and size_mm < 6 and solid_mm == 0:
        return "3"
    if new or growing:
        return "4A" if solid_mm < 4 else "4B"
    if size_mm < 6:
        return "2"
    return "3" if solid_mm < 6 else "4A" if solid_mm < 8 else "4B"


@pytest.mark.parametrize(("new", "growing"), [(0, 0), (1, 0), (0, 1)])
def test_lung_rads_at_every_tenth(new: int, growing: int):
    flags = {"new": new, "growing": growing}
    for size_mm in SIZES_MM:
        solid = apply_rule("lung_rads_2022", {"kind": "solid", "d": size_mm, **flags})
        assert solid.value == lung_rads_solid(size_mm, new, growing), size_mm
        ground_glass = apply_rule("lung_rads_2022", {"kind": "ggn", "d": size_mm, **flags})
        assert ground_glass.value == ("2" if size_mm < 30 else "3"), size_mm
        smooth = apply_rule("lung_rads_2022", {"kind": "juxtapleural_smooth", "d": size_mm, **flags})
        is_benign = size_mm < 10 and not growing
        assert smooth.value == ("2" if is_benign else lung_rads_solid(size_mm, new, growing)), size_mm


@pytest.mark.parametrize(("new", "growing"), [(0, 0), (1, 0), (0, 1)])
def test_lung_rads_part_solid_at_every_half_millimetre(new: int, growing: int):
    for size_mm, solid_mm in itertools.product(SIZES_MM[::5], SIZES_MM[:101]):
        given = {"kind": "part", "d": size_mm, "solid": solid_mm, "new": new, "growing": growing}
        if solid_mm <= size_mm:
            assert apply_rule("lung_rads_2022", given).value == lung_rads_part(size_mm, solid_mm, new, growing), given


def test_suspicious_features_raise_three_and_four_only():
    for size_mm, new, growing in itertools.product(SIZES_MM[::3], (0, 1), (0, 1)):
        given = {"kind": "solid", "d": size_mm, "new": new, "growing": growing}
        plain = apply_rule("lung_rads_2022", given).value
        raised = apply_rule("lung_rads_2022", {**given, "suspicious": 1}).value
        assert raised == ("2" if plain == "2" else "4X"), given


def test_bi_rads_follows_the_likelihoods_at_every_half_per_mille():
    for step in range(2001):
        probability = step / 2000
        percent = step / 20
        steps = ((0, "2"), (2, "3"), (10, "4A"), (50, "4B"), (94.99, "4C"))
        expected = next((value for limit, value in steps if percent <= limit), "5")
        category = apply_rule("bi_rads_ai_estimated", {"probability": probability})
        assert category.value == expected, probability
        assert "ai_estimated" in category.flags
