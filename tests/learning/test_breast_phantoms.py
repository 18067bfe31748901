import numpy as np

from isocenter.learning.breast_phantoms import ATTRIBUTES, make_breast_phantom


def phantoms(count: int, size: int = 64):
    rng = np.random.default_rng(3)
    return [make_breast_phantom(rng, size) for _ in range(count)]


def test_a_phantom_is_a_picture_with_a_mask_and_attributes():
    for phantom in phantoms(8):
        assert phantom.picture.shape == phantom.mask.shape == (64, 64)
        assert 0 <= phantom.picture.min() <= phantom.picture.max() <= 1
        assert 0 <= phantom.mask.min() <= phantom.mask.max() <= 1
        assert phantom.attributes.shape == (len(ATTRIBUTES),)


def test_there_is_a_mask_exactly_where_there_is_a_mass():
    several = phantoms(40)
    for phantom in several:
        has_mass = bool(phantom.attributes[ATTRIBUTES.index("mass")])
        assert (phantom.mask.max() > 0.5) == has_mass
        if not has_mass:
            assert not phantom.attributes.any()
    assert 0 < sum(bool(phantom.attributes[0]) for phantom in several) < len(several)


def test_irregular_masses_stand_upright_and_shadow_more_often():
    masses = np.array([phantom.attributes for phantom in phantoms(300) if phantom.attributes[0]])
    irregular = masses[:, ATTRIBUTES.index("irregular")] > 0.5
    for name in ("log_aspect", "posterior"):
        column = masses[:, ATTRIBUTES.index(name)]
        assert column[irregular].mean() < column[~irregular].mean() - 0.1


def test_masses_are_darker_than_the_tissue_around_them():
    darker = [
        phantom.picture[phantom.mask > 0.9].mean() < phantom.picture[phantom.mask < 0.1].mean()
        for phantom in phantoms(40)
        if (phantom.mask > 0.9).any()
    ]
    assert np.mean(darker) > 0.85
