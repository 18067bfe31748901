"""What a scanner measured, checked once at the door."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.imaging.reconstruct.geometry import ScanGeometry

_MAX_SAMPLES = 2**28
# float32 still holds the squares of such values, and sums of them.
_LARGEST = 1e15
_MOST_ITERATIONS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class ProjectionScan:
    """Projections of one plane, CT or PET.

    sinogram     (views, detectors): line integrals (value times mm), or counts
    factor       what a line integral of activity is multiplied by before it is counted (attenuation, detector
                 sensitivity), (views, detectors) or a number; 1 for CT
    background   counts expected beside it (randoms, scatter), (views, detectors) or a number
    """

    sinogram: np.ndarray
    geometry: ScanGeometry
    factor: np.ndarray | float = 1.0
    background: np.ndarray | float = 0.0

    def __post_init__(self) -> None:
        _require_numbers("sinogram", self.sinogram, "biuf")
        if self.sinogram.shape != self.geometry.shape:
            raise InputError(
                f"sinogram: expected (views, detectors) {self.geometry.shape}, one row per angle, got "
                f"{self.sinogram.shape}; transpose it, or give one angle per view"
            )
        period_deg = 360.0 if self.geometry.is_fan else 180.0
        if not np.ptp(np.round(np.mod(self.geometry.angles_deg, period_deg), 6)):
            raise InputError(
                f"angles_deg: expected views from several sides, got {len(self.geometry.angles_deg)} at one angle, "
                f"{self.geometry.angles_deg[0]:g}; give each view its own, in degrees"
            )
        for name, values in (("factor", self.factor), ("background", self.background)):
            array = np.asarray(values)
            _require_numbers(name, array, "biuf")
            if array.shape not in ((), self.geometry.shape) or array.min() < 0:
                raise InputError(f"{name}: expected {self.geometry.shape} values of 0 or more, got {array.shape}")

    @property
    def is_emission(self) -> bool:
        """Whether factor or background were given, as only an emission scan has them."""
        return np.ndim(self.factor) > 0 or np.ndim(self.background) > 0 or bool(self.background)


@dataclass(frozen=True, slots=True, eq=False)
class KspaceScan:
    """K-space of one plane: fftshift(fft2(ifftshift(image * sensitivity))), orthonormal, zero where not sampled.

    kspace          (coils, rows, columns) complex
    mask            (rows, columns) bool: what was sampled
    sensitivities   (coils, rows, columns) complex, or None where nobody knows them
    """

    kspace: np.ndarray
    mask: np.ndarray
    sensitivities: np.ndarray | None = None

    def __post_init__(self) -> None:
        _require_numbers("kspace", self.kspace, "biufc")
        if self.kspace.ndim != 3:
            raise InputError(f"kspace: expected (coils, rows, columns), got {self.kspace.shape}; add the coil axis")
        if min(self.kspace.shape[1:]) < 8:
            raise InputError(f"kspace: expected at least 8 x 8 samples, got {self.kspace.shape[1:]}")
        mask = np.asarray(self.mask)
        if mask.shape != self.kspace.shape[1:]:
            raise InputError(f"mask: expected (rows, columns) {self.kspace.shape[1:]}, got {mask.shape}")
        _require_numbers("mask", mask, "biuf")
        if not mask.any():
            raise InputError("mask: expected some samples, got none; the mask is 1 where k-space was measured")
        kspace = np.where(mask > 0, self.kspace, 0).astype(np.complex64)
        if not kspace.any():
            raise InputError("kspace: expected a signal, all samples under the mask are zero; check the mask")
        object.__setattr__(self, "mask", mask > 0)
        object.__setattr__(self, "kspace", kspace)
        if self.sensitivities is not None:
            _require_numbers("sensitivities", self.sensitivities, "biufc")
            if self.sensitivities.shape != self.kspace.shape:
                raise InputError(
                    f"sensitivities: expected one per coil, {self.kspace.shape}, got {self.sensitivities.shape}"
                )
            if not self.sensitivities.any():
                raise InputError("sensitivities: expected coils that see something, all are zero; leave them out")
            object.__setattr__(self, "sensitivities", self.sensitivities.astype(np.complex64))

    @property
    def is_single_coil(self) -> bool:
        """Whether there is nothing but one coil."""
        return len(self.kspace) == 1


def require_not_negative(**numbers: float | None) -> None:
    """Raise InputError for a number below zero, NaN or beyond all use, by its name; None is left to the method."""
    for name, number in numbers.items():
        most = _MOST_ITERATIONS if name == "iterations" else _LARGEST
        if number is not None and not 0 <= number <= most:
            raise InputError(f"{name}: expected a number from 0 to {most:g}, got {number}; leave it out")


def _require_numbers(name: str, array: np.ndarray, kinds: str) -> None:
    """Raise unless the array holds finite numbers of the kinds, and not too many."""
    if array.dtype.kind not in kinds:
        wanted = "numbers" if "c" in kinds else "real numbers"
        raise InputError(f"{name}: expected {wanted}, got {array.dtype}; save it as a plain array")
    if not array.size:
        raise InputError(f"{name}: expected values, got the empty shape {array.shape}")
    if array.size > _MAX_SAMPLES:
        raise LimitError(f"{name}: expected at most {_MAX_SAMPLES} values, got {array.size}; give one slice")
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise InputError(f"{name}: expected finite numbers, {bad} of {array.size} are NaN or infinite; mend them first")
    largest = float(np.abs(array).max())
    if largest > _LARGEST:
        raise InputError(f"{name}: expected values up to {_LARGEST:g}, got {largest:g}; save them in another unit")
