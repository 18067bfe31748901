"""Options become parameters by the function's own signature."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from isocenter.app.parameters import call_with, describe_parameters, read_options
from isocenter.core.errors import InputError, UnreadableError


def tool(
    volume: object,
    *,
    sigma_mm: float = 1.0,
    rounds: int | None = None,
    kind: Literal["a", "b"] = "a",
    size: tuple[int, int, int] = (1, 1, 1),
    seed: Sequence[tuple[int, int, int]] = (),
    mask: Path | None = None,
    fast: bool = False,
) -> dict[str, object]:
    return {"volume": volume, "sigma_mm": sigma_mm, "rounds": rounds, "kind": kind, "size": size, "seed": seed,
            "mask": mask, "fast": fast}  # fmt: skip


def test_texts_of_a_command_line_become_the_annotated_types():
    words = [
        "--sigma-mm",
        "-2.5",
        "--rounds=7",
        "--kind",
        "b",
        "--size",
        "1,2,3",
        "--seed",
        "4,5,6",
        "--seed",
        "7,8,9",
        "--mask",
        "m.png",
        "--fast",
    ]
    made = call_with(tool, "V", given=read_options(words))
    assert made == {"volume": "V", "sigma_mm": -2.5, "rounds": 7, "kind": "b", "size": (1, 2, 3),
                    "seed": ((4, 5, 6), (7, 8, 9)), "mask": Path("m.png"), "fast": True}  # fmt: skip


def test_one_seed_is_a_list_of_one_on_the_line_and_in_a_file(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("seed = [4, 5, 6]\nsigma-mm = 3", encoding="utf-8")
    from_file = call_with(tool, 0, given=read_options([], config))
    from_line = call_with(tool, 0, given=read_options(["--seed", "4,5,6", "--sigma-mm", "3"]))
    assert from_file == from_line
    assert from_file["seed"] == ((4, 5, 6),)


def test_the_line_wins_over_the_file(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("sigma_mm = 3.0\nrounds = 2", encoding="utf-8")
    assert read_options(["--rounds", "5"], config) == {"sigma_mm": 3.0, "rounds": "5"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sigma", "2"], "--sigma: expected one of --sigma-mm, --rounds"),
        (["--sigma-mm", "wide"], "--sigma-mm: expected float, got 'wide'"),
        (["--sigma-mm"], "--sigma-mm: expected float, got True"),
        (["--sigma-mm", "nan"], "--sigma-mm: expected float, got 'nan'"),
        (["--rounds", "1.5"], "--rounds: expected integer"),
        (["--kind", "c"], "--kind: expected one of a, b"),
        (["--size", "1,2"], "--size: expected 3 values"),
        (["stray"], "expected --name value, got 'stray'"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(words, says):
    with pytest.raises(InputError) as caught:
        call_with(tool, 0, given=read_options(words))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_needed_parameter_is_asked_for():
    def needs(volume: object, *, factor: float) -> float:
        return factor

    with pytest.raises(InputError, match="--factor"):
        call_with(needs, 0, given={})


def test_a_config_that_is_not_there_or_no_toml_is_named(tmp_path):
    with pytest.raises(UnreadableError, match="TOML file"):
        read_options([], tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("= 3", encoding="utf-8")
    with pytest.raises(InputError, match="expected TOML"):
        read_options([], bad)


def test_the_help_says_name_type_and_default():
    assert describe_parameters(tool)[:4] == (
        "--sigma-mm FLOAT (1.0)", "--rounds INTEGER (from the image)", "--kind a|b (a)",
        "--size INTEGER,INTEGER,INTEGER ((1, 1, 1))",
    )  # fmt: skip
