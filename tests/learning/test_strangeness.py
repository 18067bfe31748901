import numpy as np
import pytest

pytest.importorskip("torch")

from isocenter.learning.held_out import HeldOut, fit_calibration
from isocenter.learning.strangeness import combine, fit_foreign_classes, fit_mahalanobis
from isocenter.zoo.ood import check_ood

CLASSES = ("one", "two", "foreign")


def held_out(n: int = 300, width: int = 6) -> HeldOut:
    """Two members; classes lie apart in features and logits."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, n)
    centres = np.eye(3, width) * 8

    def seen(numbers):
        return centres[numbers] + rng.standard_normal((len(numbers), width))

    learned = tuple((seen(targets), targets) for _ in range(2))
    logits = np.eye(3)[targets] * 6 + rng.standard_normal((n, 3))
    names = tuple(str(index) for index in range(n))
    return HeldOut(names, names, np.arange(n) % 2, targets, logits, seen(targets), learned)


def arrays(table, files):
    return {
        name: np.frombuffer(files[table[name]["file"]], "<f4").reshape(table[name]["shape"])
        for name in ("mean", "whitening")
    }


def distance(table, files, features):
    known = arrays(table, files)
    here, centres = features @ known["whitening"].T, known["mean"] @ known["whitening"].T
    return ((here - centres[:, np.newaxis]) ** 2).sum(axis=-1).min(axis=0)


def test_the_limit_lets_the_wished_share_of_proper_pictures_pass():
    held = held_out()
    table, files = fit_mahalanobis(held, classes=(0, 1), components=4, accept=0.95)
    known = arrays(table, files)
    assert known["mean"].shape == (2, 12)
    assert known["whitening"].shape == (8, 12)
    check_ood(table, CLASSES)
    proper = held.features[held.targets < 2]
    inside = distance(table, files, np.concatenate([proper, proper], axis=1)) <= table["limit"]
    assert 0.85 < inside.mean() <= 1


def test_what_lies_far_from_every_class_is_strange():
    table, files = fit_mahalanobis(held_out(), classes=(0, 1), components=4, accept=0.99)
    far = np.full((1, 12), 30.0)
    assert distance(table, files, far)[0] > 10 * table["limit"]


def test_foreign_classes_get_a_limit_from_the_proper_ones():
    held = held_out()
    probability = held.calibrated("temperature")
    table = fit_foreign_classes(held, probability, CLASSES, foreign=["foreign"], proper=["one", "two"], accept=0.99)
    score = probability[:, 2]
    assert (score[held.targets < 2] <= table["limit"]).mean() >= 0.985
    assert (score[held.targets == 2] > table["limit"]).mean() > 0.95
    check_ood(table, CLASSES)


def test_several_parts_become_any():
    parts = [{"method": "max-probability", "limit": 0.4}, {"method": "energy", "limit": 2.0}]
    table = combine(parts)
    check_ood(table, CLASSES)
    assert [part["scale"] for part in table["parts"]] == [0.4, 2.0]
    assert combine(parts[:1]) == parts[0]


def test_calibration_of_a_fold_does_not_depend_on_that_fold():
    held = held_out()
    before = held.calibrated("vector")
    changed = held.logits.copy()
    changed[held.fold == 1] *= 0.1
    after = HeldOut(
        held.keys, held.groups, held.fold, held.targets, changed, held.features, held.learned
    ).calibrated("vector")  # fmt: skip
    assert not np.allclose(before[held.fold == 0], after[held.fold == 0])
    again = held.logits.copy()
    again[held.fold == 0] *= 0.1
    other = HeldOut(held.keys, held.groups, held.fold, held.targets, again, held.features, held.learned)
    softened = other.calibrated("vector")[held.fold == 0]
    table = fit_calibration("vector", held.logits[held.fold == 1], held.targets[held.fold == 1])
    scaled = again[held.fold == 0] * np.asarray(table["scale"]) + np.asarray(table["bias"])
    np.testing.assert_allclose(softened.argmax(axis=1), scaled.argmax(axis=1))


def test_temperature_is_one_scale_for_all_classes():
    held = held_out()
    table = fit_calibration("temperature", held.logits, held.targets)
    assert len(set(table["scale"])) == 1
    assert set(table["bias"]) == {0.0}
