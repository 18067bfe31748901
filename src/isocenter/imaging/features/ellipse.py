"""The ellipse that fits an outline best, and its circumference."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.outline import edge_points


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in a slice, in millimetres or in pixels, as what it was fitted to.

    centre      (row, column)
    semi_axes   (major, minor)
    angle_deg   of the major axis, from the direction of growing columns towards growing rows, from -90 to 90
    """

    centre: tuple[float, float]
    semi_axes: tuple[float, float]
    angle_deg: float

    @property
    def perimeter(self) -> float:
        """Circumference.

        Source: Ramanujan S. Q J Pure Appl Math 1914;45:350-372, the second approximation; its relative error is below
        1e-9 where the axes differ by less than a half.
        """
        major, minor = self.semi_axes
        h = ((major - minor) / (major + minor)) ** 2
        return float(np.pi * (major + minor) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))

    @property
    def area(self) -> float:
        """Area inside."""
        return float(np.pi * self.semi_axes[0] * self.semi_axes[1])

    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (row, column) along the major and the minor axis."""
        turn = np.deg2rad(self.angle_deg)
        return np.array((np.sin(turn), np.cos(turn))), np.array((np.cos(turn), -np.sin(turn)))

    def points(self, n_points: int = 360) -> np.ndarray:
        """Points (row, column) around the rim, shape (n_points, 2)."""
        steps = np.linspace(0, 2 * np.pi, n_points, endpoint=False)[:, None]
        along, across = self.directions()
        rim = self.semi_axes[0] * np.cos(steps) * along + self.semi_axes[1] * np.sin(steps) * across
        return np.asarray(np.asarray(self.centre) + rim)


def fit_ellipse(points: np.ndarray) -> Ellipse:
    """The ellipse through points in the sense of least squares, in the points' own unit.

    points   (n, 2) of (row, column), at least six that surround the ellipse

    Raises InputError where no ellipse fits (too few points, or all on a line).
    Source: Fitzgibbon A, Pilu M, Fisher RB. IEEE PAMI 1999;21(5):476-480, in the stable form of Halir R, Flusser J.
    Proc WSCG 1998;125-132.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 6 or not np.isfinite(points).all():
        raise InputError(f"ellipse: expected at least 6 finite points (row, column), got shape {points.shape}")
    centre = points.mean(axis=0)
    spread = float(np.sqrt(((points - centre) ** 2).mean()))
    if spread <= 0:
        raise InputError("ellipse: expected points that surround it, got one place")
    y, x = ((points - centre) / spread).T
    quadratic = np.stack((x * x, x * y, y * y), axis=1)
    linear = np.stack((x, y, np.ones_like(x)), axis=1)
    scatter = linear.T @ linear
    if np.linalg.cond(scatter) > 1e10:
        raise InputError("ellipse: expected points that surround it, got points on a line")
    reduction = -np.linalg.solve(scatter, linear.T @ quadratic)
    reduced = quadratic.T @ quadratic + quadratic.T @ linear @ reduction
    # The inverse of the constraint 4ac - b² = 1.
    system = np.array((reduced[2] / 2, -reduced[1], reduced[0] / 2))
    _, vectors = np.linalg.eig(system)
    vectors = np.real(vectors)
    found = vectors[:, 4 * vectors[0] * vectors[2] - vectors[1] ** 2 > 0]
    if found.shape[1] < 1:
        raise InputError("ellipse: expected points that surround it, got none that an ellipse fits")
    conic = np.concatenate((found[:, 0], reduction @ found[:, 0]))
    return _from_conic(conic, centre, spread)


def fit_ellipse_to_mask(mask: Mask, *, slice_index: int = 0) -> Ellipse:
    """The ellipse that fits a mask's outline in one slice, in millimetres; pixels need not be square.

    Raises UnknownSpacingError where the image states no pixel size, InputError where no ellipse fits.
    """
    row_mm, column_mm = (float(step) for step in mask.grid.spacing_mm[1:])
    return fit_ellipse(edge_points(mask.array[slice_index]) * (row_mm, column_mm))


def ellipse_mask(ellipse: Ellipse, shape: tuple[int, int], *, pixel_mm: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """Which pixels have their centre inside an ellipse; bool, (rows, columns).

    pixel_mm   distance between rows and between columns, in the ellipse's unit
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    y, x = rows * pixel_mm[0] - ellipse.centre[0], columns * pixel_mm[1] - ellipse.centre[1]
    along, across = ellipse.directions()
    u = (y * along[0] + x * along[1]) / ellipse.semi_axes[0]
    v = (y * across[0] + x * across[1]) / ellipse.semi_axes[1]
    return np.asarray(u**2 + v**2 <= 1)


def _from_conic(conic: np.ndarray, shift: np.ndarray, scale: float) -> Ellipse:
    """Centre, axes and angle of a x² + b xy + c y² + d x + e y + f = 0, scaled and shifted back."""
    a, b, c, d, e, f = conic
    form = np.array(((a, b / 2), (b / 2, c)))
    middle = np.linalg.solve(2 * form, np.array((-d, -e)))
    level = float(middle @ form @ middle + np.array((d, e)) @ middle + f)
    values, vectors = np.linalg.eigh(form)
    squares = -level / values
    if not (squares > 0).all():
        raise InputError("ellipse: expected points that surround it, got none that an ellipse fits")
    lengths = np.sqrt(squares) * scale
    major = int(np.argmax(lengths))
    x, y = vectors[:, major]
    angle = float(np.rad2deg(np.arctan2(y, x)))
    angle = angle - 180 if angle > 90 else angle + 180 if angle <= -90 else angle
    row, column = (float(value) for value in middle[::-1] * scale + shift)
    return Ellipse((row, column), (float(lengths[major]), float(lengths[1 - major])), angle)
