import numpy as np

from isocenter.imaging.phantoms_shapes import Canvas, Capsule, Column, Common, Ellipsoid, Sheet


def _volume_ml(solid, fine=2):
    canvas = Canvas((30, 40, 40), (1.0, 1.0, 1.0), (-19.5, -19.5, -14.5), 0.0)
    canvas.paint(solid, 1.0, fine=fine)
    return float(canvas.values().sum()) / 1000


def test_painted_ellipsoid_has_its_analytic_volume():
    solid = Ellipsoid((0.2, -0.4, 0.3), (8.0, 6.0, 5.0))
    assert abs(_volume_ml(solid) / solid.volume_ml - 1) < 0.01


def test_turning_an_ellipsoid_keeps_its_volume():
    assert (
        abs(_volume_ml(Ellipsoid((0, 0, 0), (9.0, 5.0, 6.0), 30.0)) / Ellipsoid((0, 0, 0), (9, 5, 6)).volume_ml - 1)
        < 0.02
    )


def test_capsule_is_a_rod_with_two_half_balls():
    radius, length = 4.0, 12.0
    expected = np.pi * radius**2 * length + 4 / 3 * np.pi * radius**3
    assert abs(_volume_ml(Capsule((0, 0, -6.0), (0, 0, 6.0), radius, radius)) * 1000 / expected - 1) < 0.02


def test_column_ends_where_it_says():
    assert abs(_volume_ml(Column((0, 0), (5.0, 5.0), (-6.0, 6.0))) * 1000 / (np.pi * 25 * 12) - 1) < 0.02


def test_common_is_what_lies_in_all_and_not_outside():
    ball = Ellipsoid((0, 0, 0), (8.0, 8.0, 8.0))
    half = Common((ball,), (Column((10.0, 0), (10.0, 100.0), (-50.0, 50.0)),))
    x = np.array([-4.0, 4.0])
    assert (half.distance_mm(x, np.zeros(2), np.zeros(2)) < 0).tolist() == [True, False]


def test_sheet_is_as_thick_as_it_says():
    sheet = Sheet((0, 0, 0), (0, 0, 1), 2.0)
    assert sheet.distance_mm(np.array(5.0), np.array(5.0), np.array(1.0)) == 0.0


def test_thick_slices_average_what_thin_ones_show():
    solid = Ellipsoid((0, 0, 0), (8.0, 8.0, 8.0))
    thin = Canvas((20, 30, 30), (1.0, 1.0, 1.0), (-14.5, -14.5, -9.5), 0.0)
    thick = Canvas((10, 30, 30), (2.0, 1.0, 1.0), (-14.5, -14.5, -9.0), 0.0)
    for canvas in (thin, thick):
        canvas.paint(solid, 100.0)
    pairs = thin.values().reshape(10, 2, 30, 30).mean(axis=1)
    assert np.abs(pairs - thick.values()).max() < 1e-3
