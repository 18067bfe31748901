import numpy as np

from isocenter.imaging.features.local_kernels import ball_means


def test_columns_that_leave_the_image_do_not_count():
    image = np.arange(12.0).reshape(1, 3, 4)
    columns = np.array([(0, -1, 0), (0, 0, 1), (1, 0, 5)])
    means = ball_means(image, np.array([(0, 0, 0), (0, 2, 3)]), columns)
    assert np.allclose(means, [(0 + 1) / 2, (7 + 10 + 11) / 3])
