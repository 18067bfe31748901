import numpy as np

from isocenter.core.card import ModelCard
from isocenter.learning.familiarity import fit_familiarity
from isocenter.zoo.cards import with_arrays
from isocenter.zoo.ood import check_ood, ood_score


def card_of(ood):
    return ModelCard(
        "m", "1.0.0", "t", "segmentation", "US", "", "for tests", ("none",), (), (1, 8, 8), (), {}, "CC0", {}, ood=ood
    )


def test_own_pictures_are_familiar_and_both_known_and_unknown_strangers_are_not():
    rng = np.random.default_rng(0)
    own = rng.normal(0, 1, (400, 12)) * np.linspace(2, 0.2, 12)
    shift = np.zeros(12)
    shift[10] = 3.0  # small against the whole spread, large in its own direction
    foreign = own[:60] + shift
    table, files = fit_familiarity(own[:200], own[200:300], {"other": foreign[:30]}, components=6)
    check_ood(table, ())
    card = with_arrays(card_of(table), files)
    score, limit = ood_score(card, {"features": own[300:]})
    assert (score <= limit).mean() >= 0.97
    score, limit = ood_score(card, {"features": foreign[30:]})
    assert (score > limit).mean() > 0.95
    score, limit = ood_score(card, {"features": own[300:] + 15.0})
    assert (score > limit).all()


def test_without_the_foreign_group_its_direction_goes_unnoticed():
    """The opposite of the law above: it is the direction that finds the small shift."""
    rng = np.random.default_rng(0)
    own = rng.normal(0, 1, (400, 12)) * np.linspace(2, 0.2, 12)
    foreign = own[:60].copy()
    foreign[:, 10] += 3.0
    table, files = fit_familiarity(own[:200], own[200:300], {}, components=6)
    score, limit = ood_score(with_arrays(card_of(table), files), {"features": foreign})
    assert (score > limit).mean() < 0.2
