"""Direct Fourier reconstruction: each view's spectrum is a line through the image's, and is laid onto its grid."""

import numpy as np

from isocenter.imaging.reconstruct.filtered import FilterName, angular_weights, filter_views
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.nonuniform import NonCartesianFourier
from isocenter.imaging.reconstruct.scans import ProjectionScan


def gridding(scan: ProjectionScan, *, window: FilterName = "ramlak", cutoff: float = 1.0) -> np.ndarray:
    """The image by the Fourier slice theorem, (rows, columns) float32; a fan is sorted into parallel views first.

    Source: O'Sullivan, IEEE Trans Med Imaging 1985;4:200.
    """
    from scipy import fft

    sinogram, geometry = rebin_fan(scan.sinogram, scan.geometry) if scan.geometry.is_fan else (
        scan.sinogram, scan.geometry
    )  # fmt: skip
    views = filter_views(np.asarray(sinogram, np.float32), geometry.detector_mm, window, cutoff)
    n_bins = geometry.n_detectors
    length = fft.next_fast_len(2 * n_bins)
    frequency = fft.fftfreq(length)
    spectra = fft.fft(views, length, axis=1, workers=2) * np.exp(2j * np.pi * frequency * (n_bins - 1) / 2)
    spectra *= (angular_weights(geometry.angles_deg, 180.0) / length)[:, None]
    per_pixel = frequency * geometry.pixel_mm / geometry.detector_mm
    # What pixels of this size cannot hold is left out.
    held = np.abs(per_pixel) <= 0.5
    angles = np.deg2rad(geometry.angles_deg)[:, None]
    places = np.stack([-np.sin(angles) * per_pixel[held], np.cos(angles) * per_pixel[held]], axis=-1)
    operator = NonCartesianFourier(places.reshape(-1, 2), geometry.size)
    return np.asarray(operator.adjoint(spectra[:, held].ravel().astype(np.complex64)).real, np.float32)


def rebin_fan(sinogram: np.ndarray, geometry: ScanGeometry) -> tuple[np.ndarray, ScanGeometry]:
    """A fan's rays over a full turn as parallel views over half of it, by linear interpolation.

    Source: Kak & Slaney 1988, section 3.4.3.
    """
    from scipy.interpolate import RegularGridInterpolator

    assert geometry.beam_mm is not None
    source_mm, distance_mm = geometry.beam_mm
    order = np.argsort(np.mod(geometry.angles_deg, 360.0), kind="stable")
    turned = np.mod(geometry.angles_deg, 360.0)[order]
    wrapped = np.concatenate([turned[-1:] - 360, turned, turned[:1] + 360])
    rows = np.asarray(sinogram, np.float64)[np.concatenate([order[-1:], order, order[:1]])]
    look_up = RegularGridInterpolator((wrapped, geometry.bins_mm), rows, bounds_error=False, fill_value=0.0)
    step_mm = geometry.detector_mm * source_mm / distance_mm
    angles = np.linspace(0, 180, max(1, (len(turned) + 1) // 2), endpoint=False)
    parallel = ScanGeometry(angles, geometry.n_detectors, step_mm, geometry.size, geometry.pixel_mm)
    t_mm = parallel.bins_mm[None, :]
    gamma = np.arcsin(np.clip(t_mm / source_mm, -1, 1))
    phi = np.deg2rad(angles)[:, None]

    def read(angle: np.ndarray, opening: np.ndarray) -> np.ndarray:
        beta = np.mod(np.rad2deg(angle), 360.0)
        place = np.broadcast_to(distance_mm * np.tan(opening), beta.shape)
        return np.asarray(look_up(np.stack([beta, place], axis=-1)))

    # Each line is seen twice in a turn, from either end.
    return (read(phi + gamma, gamma) + read(phi + np.pi - gamma, -gamma)) / 2, parallel
