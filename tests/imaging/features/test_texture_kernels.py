import numpy as np

from isocenter.imaging.features.texture_kernels import count_neighbours, count_pairs, count_runs, measure_zones

# One slice of 3 x 4 voxels with a border of outside: flat width 6.
PICTURE = np.zeros((5, 6), np.int32)
PICTURE[1:4, 1:5] = [[1, 1, 2, 2], [1, 2, 2, 0], [3, 3, 3, 3]]
FLAT = PICTURE.ravel()
PLACES = np.flatnonzero(FLAT)
RIGHT, DOWN = np.array([1]), np.array([6])


def test_pairs_to_the_right():
    counts = count_pairs(FLAT, PLACES, RIGHT, 3)[0]
    assert counts.tolist() == [[1, 2, 0], [0, 2, 0], [0, 0, 3]]


def test_runs_to_the_right_and_down():
    right, down = (count_runs(FLAT, PLACES, step, 3, 4)[0] for step in (RIGHT, DOWN))
    assert right.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]]
    assert down.tolist() == [[1, 1, 0, 0], [2, 1, 0, 0], [4, 0, 0, 0]]


def test_zones_with_their_sizes_and_smallest_distances():
    distances = np.where(FLAT > 0, 7, 0)
    distances[PLACES[2]] = 2
    first, level, size, nearest = measure_zones(FLAT.astype(np.int64), PLACES, FLAT, distances, 3)
    assert sorted(zip(level, size, nearest, strict=True)) == [(1, 3, 7), (2, 4, 2), (3, 4, 7)]
    assert first[0] == PLACES[0]


def test_neighbours_outside_do_not_count():
    offsets = np.array([1, -1, 6, -6])
    counted, differences, dependent = count_neighbours(FLAT, PLACES, offsets, 3, 0)
    assert counted.tolist() == [3, 4, 4]
    assert np.isclose(differences[2], abs(3 - 4 / 2) + 2 * abs(3 - 8 / 3))
    assert dependent.sum() == len(PLACES)
    assert dependent[2].tolist() == [0, 2, 2, 0, 0]
