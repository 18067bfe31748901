"""Bodies of ellipses whose projections are known in closed form, and the coils of an MR scanner."""

from dataclasses import dataclass

import numpy as np

from isocenter.imaging.reconstruct.geometry import ScanGeometry


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse whose value adds to those of others where they overlap.

    value         per mm (CT), activity (PET) or signal (MRI)
    centre_mm     (x, y), x to the right, y up
    half_mm       half axes
    angle_deg     of the first axis, counter-clockwise from x
    """

    value: float
    centre_mm: tuple[float, float]
    half_mm: tuple[float, float]
    angle_deg: float = 0.0


# Toft's contrast of the Shepp-Logan head (Toft, The Radon Transform, PhD thesis, DTU 1996, table B.1; geometry of
# Shepp & Logan, IEEE Trans Nucl Sci 1974;21:21): value, x, y, half axes on the unit disc, angle.
_SHEPP_LOGAN = (
    (1.0, 0.0, 0.0, 0.69, 0.92, 0.0),
    (-0.8, 0.0, -0.0184, 0.6624, 0.874, 0.0),
    (-0.2, 0.22, 0.0, 0.11, 0.31, -18.0),
    (-0.2, -0.22, 0.0, 0.16, 0.41, 18.0),
    (0.1, 0.0, 0.35, 0.21, 0.25, 0.0),
    (0.1, 0.0, 0.1, 0.046, 0.046, 0.0),
    (0.1, 0.0, -0.1, 0.046, 0.046, 0.0),
    (0.1, -0.08, -0.605, 0.046, 0.023, 0.0),
    (0.1, 0.0, -0.605, 0.023, 0.023, 0.0),
    (0.1, 0.06, -0.605, 0.023, 0.046, 0.0),
)


def shepp_logan(radius_mm: float, *, scale: float = 1.0) -> tuple[Ellipse, ...]:
    """The Shepp-Logan head on a disc of this radius, values 0 to `scale`."""
    return tuple(
        Ellipse(value * scale, (x * radius_mm, y * radius_mm), (a * radius_mm, b * radius_mm), angle)
        for value, x, y, a, b, angle in _SHEPP_LOGAN
    )


def draw_ellipses(
    ellipses: tuple[Ellipse, ...], size: tuple[int, int], *, pixel_mm: float, oversampling: int = 4
) -> np.ndarray:
    """The mean of the ellipses over each pixel, (rows, columns) float32, by oversampling² points a pixel."""
    rows, columns = size
    fine = oversampling
    x = ((np.arange(columns * fine) + 0.5) / fine - columns / 2) * pixel_mm
    y = (rows / 2 - (np.arange(rows * fine) + 0.5) / fine) * pixel_mm
    total = np.zeros((rows * fine, columns * fine), np.float32)
    for ellipse in ellipses:
        angle = np.deg2rad(ellipse.angle_deg)
        dx, dy = x[None, :] - ellipse.centre_mm[0], y[:, None] - ellipse.centre_mm[1]
        along = (dx * np.cos(angle) + dy * np.sin(angle)) / ellipse.half_mm[0]
        across = (dy * np.cos(angle) - dx * np.sin(angle)) / ellipse.half_mm[1]
        total += np.float32(ellipse.value) * (along**2 + across**2 <= 1)
    return np.asarray(total.reshape(rows, fine, columns, fine).mean(axis=(1, 3)))


def project_ellipses(ellipses: tuple[Ellipse, ...], geometry: ScanGeometry) -> np.ndarray:
    """The exact line integrals along each ray of a scan, (views, detectors) float64.

    Source: Kak & Slaney 1988, eq. 3.5: the chord of an ellipse.
    """
    phi, offset_mm = geometry.lines()
    total = np.zeros(geometry.shape)
    for ellipse in ellipses:
        a, b = ellipse.half_mm
        relative = phi - np.deg2rad(ellipse.angle_deg)
        squared = (a * np.cos(relative)) ** 2 + (b * np.sin(relative)) ** 2
        x, y = ellipse.centre_mm
        t = offset_mm - x * np.cos(phi) - y * np.sin(phi)
        total += 2 * ellipse.value * a * b / squared * np.sqrt(np.clip(squared - t**2, 0, None))
    return total


def coil_sensitivities(n_coils: int, size: tuple[int, int], *, distance: float = 1.1) -> np.ndarray:
    """Smooth complex profiles of coils around the image, (coils, rows, columns) complex64; their squares sum to one.

    distance   of each coil from the centre, in half image diagonals / √2
    """
    rows, columns = size
    y, x = np.meshgrid(np.linspace(1, -1, rows), np.linspace(-1, 1, columns), indexing="ij")
    profiles = []
    for coil in range(n_coils):
        angle = 2 * np.pi * coil / n_coils
        dx, dy = x - distance * np.cos(angle), y - distance * np.sin(angle)
        near = 1 / (0.15 + dx**2 + dy**2)
        profiles.append(near * np.exp(1j * (angle + 0.9 * (dx * np.cos(angle) + dy * np.sin(angle)))))
    stack = np.array(profiles)
    return np.asarray(stack / np.sqrt((np.abs(stack) ** 2).sum(axis=0)), np.complex64)
