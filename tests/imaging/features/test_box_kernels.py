import numpy as np
from scipy.spatial.transform import Rotation

from isocenter.imaging.features.box_kernels import smallest_box
from isocenter.imaging.features.enclosing import hull_of, smallest_box_mm

CORNERS = np.indices((2, 2, 2)).reshape(3, -1).T * np.array((6.0, 4.0, 2.0))


def test_a_turned_box_has_its_own_sides():
    for seed in range(5):
        turned = CORNERS @ Rotation.random(rng=np.random.default_rng(seed)).as_matrix().T
        assert np.allclose(np.sort(smallest_box_mm(hull_of(turned))), (2, 4, 6))


def test_no_box_along_the_axes_is_smaller():
    rng = np.random.default_rng(0)
    for _ in range(5):
        points = rng.normal(size=(40, 3)) * (5, 2, 1) @ Rotation.random(rng=rng).as_matrix().T
        hull = hull_of(points)
        volume = float(np.prod(smallest_box_mm(hull)))
        assert hull.volume_mm3 < volume <= np.prod(np.ptp(points, axis=0)) * (1 + 1e-9)
        # Nor one turned at random.
        for seed in range(200):
            turned = points @ Rotation.random(rng=np.random.default_rng(seed)).as_matrix().T
            assert volume <= np.prod(np.ptp(turned, axis=0)) * (1 + 1e-9)


def test_the_rectangle_lies_along_an_edge():
    # A prism over a triangle with sides 3, 4, 5: the smallest rectangle has its area twice that of the triangle.
    triangle = np.array([(0.0, 0, 0), (3, 0, 0), (0, 4, 0)])
    prism = np.concatenate((triangle, triangle + np.array((0, 0, 7))))
    box = smallest_box(prism, np.array([[0.0, 0.0, 1.0]]))
    assert np.isclose(box[0] * box[1], 12)
    assert box[2] == 7
