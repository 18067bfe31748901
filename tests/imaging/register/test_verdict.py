from dataclasses import replace

import numpy as np
import pytest

from isocenter.imaging.register.levels import finest_level
from isocenter.imaging.register.verdict import Evidence, local_similarity, weigh_again, weigh_evidence, weigh_home

GOOD = Evidence(0.9, 0.3, 0.5, 1.0, 3, 3)


def weigh(fixed, moving, matrix=None):
    levels = finest_level(fixed), finest_level(moving)
    return weigh_evidence(*levels, np.eye(4) if matrix is None else matrix, overlap=1.0, climbs=(3, 3))


def test_the_same_body_agrees_whatever_the_modality(body):
    assert weigh(body(), body(noise=3.0)).agreement > 0.7
    other = weigh(body(), body(other_modality=True))
    assert other.converged
    assert other.inside > 0.3


def test_noise_agrees_with_nothing(body):
    noise = body().with_array(np.random.default_rng(0).normal(50, 20, body().array.shape).astype(np.float32))
    for pair in ((body(), noise), (noise, body())):
        found = weigh(*pair)
        assert abs(found.agreement) < 0.05
        assert not found.converged


def test_noise_in_the_shape_of_the_body_is_seen_through(body):
    shape = body().array > 30
    noise = np.where(shape, np.random.default_rng(0).normal(100, 20, shape.shape), 0).astype(np.float32)
    found = weigh(body(), body().with_array(noise))
    assert found.agreement > 0.1
    assert found.inside < 0.03
    assert "inside" in found.problem


def test_the_right_body_in_the_wrong_place_is_refused(body):
    away = np.eye(4)
    away[:3, 3] = (14, -11, 9)
    assert not weigh(body(), body(), away).converged


def test_weighing_again_keeps_the_chance(body):
    levels = finest_level(body()), finest_level(body())
    before = weigh(body(), body())
    again = weigh_again(*levels, np.eye(4), before)
    assert again == before
    assert local_similarity(*levels, np.eye(4)) == pytest.approx(before.local_similarity)


def test_at_home_the_inside_is_weighed_with_its_chance(body):
    levels = finest_level(body()), finest_level(body(other_modality=True))
    found = weigh_home(*levels, np.eye(4), GOOD)
    assert found.is_home
    assert found.inside > 5 * found.inside_spread > 0
    noise = np.random.default_rng(0).normal(100, 20, body().array.shape)
    shaped = finest_level(body().with_array(np.where(body().array > 30, noise, 0).astype(np.float32)))
    assert weigh_home(levels[0], shaped, np.eye(4), GOOD).inside < 0.03


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, ""),
        ({"overlap": 0.05}, "share"),
        ({"inside": 0.0}, "inside"),
        ({"inside": None}, ""),
        ({"local_similarity": 0.31}, "beside"),
        ({"local_similarity": 0.5, "n_agreeing": 1}, "only 1 of 3"),
        ({"local_similarity": 0.5}, ""),
        ({"is_mirrored": True}, "swapped"),
        ({"local_similarity": 0.4, "standing": 6.0}, "beside"),
        ({"local_similarity": 0.4, "standing": 8.0}, ""),
        ({"local_similarity": 0.32, "standing": 8.0, "inside": 0.15}, ""),
        ({"local_similarity": 0.32, "standing": 8.0, "inside": 0.08}, "beside"),
        ({"local_similarity": 0.4, "standing": 8.0, "n_agreeing": 1}, "only 1 of 3"),
        ({"local_similarity": 0.4, "standing": 11.0, "n_agreeing": 1}, ""),
        ({"local_similarity": 0.31, "standing": 5.0, "is_home": True, "n_agreeing": 1}, ""),
        ({"local_similarity": 0.31, "standing": 3.0, "is_home": True}, "beside"),
        ({"local_similarity": 0.4, "standing": 8.0, "inside": 0.0}, "inside"),
        ({"local_similarity": 0.4, "standing": 8.0, "inside": 0.0, "inside_spread": 0.05, "is_home": True}, ""),
        ({"local_similarity": 0.4, "standing": 8.0, "inside": 0.0, "inside_spread": 0.01, "is_home": True}, "inside"),
        ({"local_similarity": 0.6, "standing": 8.0, "inside": 0.0, "inside_spread": 0.05, "is_home": True}, "inside"),
    ],
)
def test_each_lack_has_its_words(change, word):
    evidence = replace(GOOD, **change)
    assert evidence.converged == (word == "")
    assert word in evidence.problem
