import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.learning.config import SplitConfig
from isocenter.learning.splits import Member, find_near_duplicates, join_groups, make_split


def members(n_groups=60, per_group=3):
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c"], n_groups, p=[0.5, 0.3, 0.2])
    return [Member(f"g{g}-{i}", f"g{g}", str(labels[g])) for g in range(n_groups) for i in range(1 + g % per_group)]


def test_no_group_is_on_two_sides_and_nobody_is_lost():
    everyone = members()
    group = {member.key: member.group for member in everyone}
    split = make_split(everyone, SplitConfig(test_fraction=0.2, folds=4), seed=1)
    for train, validation in split.folds:
        sides = [{group[key] for key in part} for part in (train, validation, split.test)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert len(train) + len(validation) + len(split.test) == len(everyone)
    held_out = [key for _, validation in split.folds for key in validation]
    assert len(held_out) == len(set(held_out)) == len(everyone) - len(split.test)


def test_parts_have_the_asked_size_and_alike_classes():
    everyone = members()
    label = {member.key: member.label for member in everyone}
    split = make_split(everyone, SplitConfig(test_fraction=0.25), seed=3)
    assert abs(len(split.test) / len(everyone) - 0.25) < 0.03
    for name in "abc":
        share = np.mean([label[key] == name for key in label])
        assert abs(np.mean([label[key] == name for key in split.test]) - share) < 0.08


def test_the_split_does_not_depend_on_the_order_of_the_list():
    everyone = members()
    config = SplitConfig(folds=3)
    assert make_split(everyone, config, seed=5) == make_split(everyone[::-1], config, seed=5)
    assert make_split(everyone, config, seed=5).digest != make_split(everyone, config, seed=6).digest


def test_a_frozen_split_notices_changed_data():
    everyone = members()
    frozen = make_split(everyone, SplitConfig(), seed=2).digest
    make_split(everyone, SplitConfig(frozen=frozen), seed=2)
    with pytest.raises(InputError, match="have changed"):
        make_split(everyone[1:], SplitConfig(frozen=frozen), seed=2)
    with pytest.raises(InputError, match="unique keys"):
        make_split([*everyone, everyone[0]], SplitConfig(), seed=2)


def test_near_duplicates_share_a_group_and_others_do_not():
    rng = np.random.default_rng(4)
    scenes = [np.kron(rng.random((6, 8)), np.ones((20, 20))) * 200 for _ in range(5)]
    pictures = {f"p{index}": scene for index, scene in enumerate(scenes)}
    pictures["p0-brighter"] = scenes[0] * 1.1 + 5
    pictures["p0-noisy"] = scenes[0] + rng.normal(0, 4, scenes[0].shape)
    pictures["p1-smaller"] = scenes[1][::2, ::2]
    groups = find_near_duplicates(pictures)
    assert groups["p0"] == groups["p0-brighter"] == groups["p0-noisy"]
    assert groups["p1"] == groups["p1-smaller"]
    assert len({groups[f"p{index}"] for index in range(5)}) == 5


def test_groups_join_in_steps():
    by_patient = {"a": "1", "b": "1", "c": "2", "d": "3"}
    by_look = {"a": "x", "b": "y", "c": "y", "d": "z"}
    joined = join_groups(by_patient, by_look)
    assert joined["a"] == joined["b"] == joined["c"] != joined["d"]
