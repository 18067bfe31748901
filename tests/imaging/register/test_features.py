import cv2
import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.features import match_pictures, match_volumes
from isocenter.imaging.register.motion import about, moved_points, rotation_matrix


def picture(seed=0):
    noise = np.random.default_rng(seed).random((220, 260)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def as_volume(array):
    return Volume(array[None], Grid.of_pixels((1, *array.shape)))


@pytest.mark.parametrize("detector", ["sift", "orb"])
@pytest.mark.parametrize("angle_deg", [0, 35, 160])
def test_a_turned_and_scaled_picture_is_found(detector, angle_deg):
    fixed = picture()
    turn = cv2.getRotationMatrix2D((130, 110), angle_deg, 1.15)
    moving = cv2.warpAffine(fixed, turn, (260, 220), borderMode=cv2.BORDER_REFLECT)
    found = match_pictures(as_volume(fixed), as_volume(moving), detector=detector)
    points = np.array(((100.0, 90, 0), (150, 100, 0), (130, 140, 0)))
    wanted = points[:, :2] @ turn[:, :2].T + turn[:, 2]
    off = np.linalg.norm(moved_points(found.matrix, points)[:, :2] - wanted, axis=1)
    assert off.max() < (0.8 if detector == "sift" else 1.5)
    assert found.n_inliers > 20


def test_a_turned_volume_is_found_from_its_blobs(body, inside):
    truth = about(rotation_matrix(np.array((0.1, 0.25, -0.5))), np.zeros(3), np.array((9.0, -6, 5)))
    shape = (56, 64, 60)
    fixed = body(lambda p: moved_points(truth, p), shape=shape)
    found = match_volumes(fixed, body(shape=shape))
    off = np.linalg.norm(moved_points(found.matrix, inside) - moved_points(truth, inside), axis=1)
    assert off.mean() < 2


def test_pictures_that_share_nothing_are_refused():
    with pytest.raises(InputError, match="features"):
        match_pictures(as_volume(picture(0)), as_volume(picture(1)))
    with pytest.raises(InputError, match="corners"):
        match_pictures(as_volume(np.full((64, 64), 7, np.uint8)), as_volume(picture(1)[:64, :64]))


def test_what_fits_not_is_refused(body):
    with pytest.raises(InputError, match="two pictures"):
        match_pictures(body(), body())
    with pytest.raises(InputError, match="sift or orb"):
        match_pictures(as_volume(picture()), as_volume(picture()), detector="surf")
