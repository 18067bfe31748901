import numpy as np

from isocenter.imaging.register.levels import finest_level
from isocenter.imaging.register.standing import displacements, ranked_level, standing


def test_the_right_place_stands_out_and_another_does_not(body):
    levels = finest_level(body()), finest_level(body(other_modality=True))
    away = np.eye(4)
    away[:3, 3] = (30, -25, 20)
    assert standing(*levels, np.eye(4)) > 10
    assert standing(*levels, away) < 4


def test_noise_stands_out_nowhere(body):
    noise = body().with_array(np.random.default_rng(0).normal(50, 20, body().array.shape).astype(np.float32))
    assert standing(finest_level(body()), finest_level(noise), np.eye(4)) < 3


def test_images_that_do_not_meet_have_no_standing(body):
    far = np.eye(4)
    far[:3, 3] = 500
    assert standing(finest_level(body()), finest_level(body()), far) == 0


def test_ranks_stay_when_tones_rise_otherwise(body):
    level = finest_level(body())
    bent = finest_level(body().with_array(np.exp(body().array / 40)))
    one, other = ranked_level(level).array, ranked_level(bent).array
    assert (one.min(), one.max()) == (0, 1)
    assert np.abs(one - other).max() < 0.03


def test_displaced_copies_lie_a_hand_away_and_stay_in_the_plane_of_a_picture(body):
    level = finest_level(body())
    middle = np.append(level.centre_mm, 1)
    shifts = np.array([np.linalg.norm((moved @ middle - middle)[:3]) for moved in displacements(level)])
    longest = (level.spacing_mm * level.array.shape).max()
    assert shifts.min() >= 0.08 * longest - 1e-6
    assert shifts.max() <= 0.2 * longest + 1e-6
    picture = finest_level(body(shape=(1, 52, 44)))
    assert all(abs(moved[2, 3]) < 1e-9 and abs(moved[2, 2] - 1) < 1e-9 for moved in displacements(picture))
