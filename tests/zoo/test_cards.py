"""Cards: text and record are one thing, and a card says nothing impossible."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.core.card import OperatingPoint, Performance, PrepareStep
from isocenter.core.errors import PackageError
from isocenter.zoo.cards import array_member, built_in_card, card_from_toml, card_to_toml, read_card, with_arrays

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
VALUE = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**62), 2**62), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
TABLE = st.dictionaries(TEXT, VALUE, max_size=4)


@given(data=TABLE, parameters=TABLE, options=TABLE, use=TEXT, low=NUMBER, metric=TEXT)
@settings(max_examples=60, deadline=None)
def test_every_card_survives_the_round_trip(make_card, data, parameters, options, use, low, metric):
    options.pop("op", None)
    card = make_card(
        data=data,
        parameters=parameters,
        intended_use=use + "x",
        prepare=(PrepareStep("a", options), PrepareStep("b")),
        performance=(Performance(metric, low, low, low, 1, "test"),),
    )
    text = card_to_toml(card)
    assert card_from_toml(text) == card
    assert card_to_toml(card_from_toml(text)) == text


def test_defaults_need_not_be_written(card):
    bare = replace(card, operating_points=(), performance=(), prepare=())
    text = card_to_toml(bare)
    short = "\n".join(line for line in text.splitlines() if not line.startswith(("stride", "tolerance", "precision")))
    assert card_from_toml(short) == bare


@pytest.mark.parametrize(
    "line",
    [
        "surprise = 1",
        "[surprise]",
        "[[performance]]\nmetric = 'auc'",
        "[[operating_points]]\nname = 'x'",
        "= 1",
        "[ood]",
    ],
)
def test_unknown_missing_or_doubled_entries_are_refused(card, line):
    text = card_to_toml(card)
    with pytest.raises(PackageError):
        card_from_toml(line + "\n" + text if "=" in line and "[" not in line else text + "\n" + line + "\n")


@pytest.mark.parametrize("name", ["name", "version", "limits", "classes", "input_shape", "outputs", "licence", "data"])
def test_a_required_entry_is_required(card, name):
    import tomllib

    text = card_to_toml(card)
    kept, skip = [], False
    for line in text.splitlines():
        skip = line == f"[{name}]" or (skip and not line.startswith("["))
        if not skip and not line.startswith(f"{name} = "):
            kept.append(line)
    shorter = "\n".join(kept)
    assert name not in tomllib.loads(shorter)
    with pytest.raises(PackageError, match=name):
        card_from_toml(shorter)


IMPOSSIBLE = {
    "name": "Big Name",
    "version": "1.0",
    "intended_use": " ",
    "licence": "",
    "limits": (),
    "precision": "f16",
    "tolerance": 0.0,
    "stride": 0,
    "input_shape": (1, 16),
    "classes": ("a", "a"),
    "calibration": {"method": "temperature"},
    "ood": {"method": "magic"},
    "performance": (Performance("auc", 0.9, 0.95, 0.99, 10, "test"),),
    "operating_points": (OperatingPoint("p", "nobody", 0.5),),
}


@pytest.mark.parametrize("field", IMPOSSIBLE)
def test_what_cannot_be_is_refused_in_both_directions(card, field):
    with pytest.raises(PackageError, match=r"card|performance|ood"):
        card_to_toml(replace(card, **{field: IMPOSSIBLE[field]}))


@pytest.mark.parametrize(
    "field, value",
    [
        ("performance", (Performance("auc", 0.9, 0.8, 0.99, 0, "test"),)),
        ("operating_points", (OperatingPoint("p", "benign", 1.5),)),
        ("operating_points", (OperatingPoint("p", "benign", 0.5, {"sensitivity": (0.5, 0.6, 0.7)}),)),
        ("calibration", {"method": "temperature", "temperature": 0}),
        ("calibration", {"method": "vector", "scale": [1]}),
        ("calibration", {"method": "none", "temperature": 1.0}),
        ("ood", {"method": "classes", "classes": ["nobody"], "limit": 0.5}),
        ("ood", {"method": "energy"}),
        ("ood", {"method": "any", "parts": [{"method": "energy", "limit": 1.0, "more": 1}]}),
        ("parameters", {"x": float("nan")}),
        ("parameters", {"x": None}),
    ],
)
def test_more_that_cannot_be(card, field, value):
    with pytest.raises(PackageError):
        card_to_toml(replace(card, **{field: value}))


@pytest.mark.parametrize(
    "old, new",
    [
        ("input_shape = [1, 16, 16]", "input_shape = [1, 16, 'x']"),
        ("stride = 1", "stride = true"),
        ("tolerance = 0.02", "tolerance = 'much'"),
        ('precision = "f32"', "precision = 32"),
        ("threshold = 0.2", "threshold = 'low'"),
        ("n = 100", "n = 'many'"),
        ('op = "resize"', "op = 5"),
        ("limits = [", "limits = [1, "),
    ],
)
def test_wrong_types_are_refused(card, old, new):
    text = card_to_toml(card)
    assert old in text
    with pytest.raises(PackageError):
        card_from_toml(text.replace(old, new))


def test_arrays_lie_beside_the_card(card):
    array = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    reference, data = array_member("mean.f32", array)
    lean = replace(
        card, ood={"method": "any", "parts": [{"method": "energy", "limit": 1.0}]}, parameters={"deep": [reference]}
    )
    assert card_from_toml(card_to_toml(lean)) == lean
    np.testing.assert_array_equal(with_arrays(lean, {"mean.f32": data}).parameters["deep"][0], array)
    for files in ({}, {"mean.f32": data[:-1]}, {"mean.f32": np.full(6, np.nan, np.float32).tobytes()}):
        with pytest.raises(PackageError, match="mean"):
            with_arrays(lean, files)


def test_cards_on_disk(tmp_path, card):
    (tmp_path / "a.toml").write_text(card_to_toml(card), encoding="utf-8")
    assert read_card(tmp_path / "a.toml") == card
    (tmp_path / "b.toml").write_bytes(b"\xff")
    for name in ("b.toml", "none.toml"):
        with pytest.raises(PackageError, match=name):
            read_card(tmp_path / name)
    with pytest.raises(PackageError, match="no-such-task"):
        built_in_card("no-such-task")
