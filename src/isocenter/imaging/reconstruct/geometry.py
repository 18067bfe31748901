"""Where each ray of a CT or PET scan runs.

x points right, y up, the origin is the centre of the image; bin k of n lies at t = (k - (n - 1) / 2) * detector_mm. A
parallel ray is the line x cos(angle) + y sin(angle) = t. A fan's source stands at source_mm * (sin(angle), -cos(angle))
and its flat detector, detector_distance_mm from the source, has the axis (cos(angle), sin(angle)).
"""

from dataclasses import dataclass, replace

import numpy as np

from isocenter.core.errors import GeometryError, LimitError

_MAX_PIXELS = 4096 * 4096
_MAX_RAYS = 2**24
# A micrometre's thousandth to a kilometre: beyond lies a wrong unit.
_FINEST_MM, _COARSEST_MM = 1e-6, 1e6


@dataclass(frozen=True, slots=True, eq=False)
class ScanGeometry:
    """Views, detector and image of a scan in one plane.

    angles_deg   one per view, any order and spacing
    n_detectors  bins of the detector
    size         rows and columns of the image
    beam_mm      (source to centre, source to detector) of a fan; None is a parallel beam
    """

    angles_deg: np.ndarray
    n_detectors: int
    detector_mm: float
    size: tuple[int, int]
    pixel_mm: float
    beam_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        angles = np.array(self.angles_deg, np.float64)
        if angles.ndim != 1 or not angles.size or not np.isfinite(angles).all():
            raise GeometryError(f"angles_deg: expected one finite angle per view, got shape {angles.shape}")
        if self.n_detectors < 1 or min(self.size) < 1:
            raise GeometryError(
                f"scan: expected bins and pixels, got {self.n_detectors} bins and an image of {self.size}"
            )
        if not all(_FINEST_MM <= step_mm <= _COARSEST_MM for step_mm in (self.detector_mm, self.pixel_mm)):
            raise GeometryError(
                f"scan: expected detector_mm and pixel_mm from {_FINEST_MM:g} to {_COARSEST_MM:g}, got "
                f"{self.detector_mm} and {self.pixel_mm}; state them in millimetres"
            )
        if self.size[0] * self.size[1] > _MAX_PIXELS or angles.size * self.n_detectors > _MAX_RAYS:
            raise LimitError(
                f"scan: expected at most 4096 x 4096 pixels and {_MAX_RAYS} rays, got {self.size} and "
                f"{angles.size} x {self.n_detectors}; use larger pixels or fewer views"
            )
        if self.beam_mm is not None:
            self._check_beam(*self.beam_mm)
        angles.setflags(write=False)
        object.__setattr__(self, "angles_deg", angles)

    def _check_beam(self, source_mm: float, detector_distance_mm: float) -> None:
        reach_mm = np.hypot(*self.size) * self.pixel_mm / 2
        if not all(0 < distance_mm <= _COARSEST_MM for distance_mm in (source_mm, detector_distance_mm)):
            raise GeometryError(
                f"fan: expected source_mm and detector_distance_mm above 0 and up to {_COARSEST_MM:g}, got {source_mm} "
                f"and {detector_distance_mm}; leave both out for a parallel beam"
            )
        if source_mm <= reach_mm:
            raise GeometryError(
                f"fan: expected the source outside the image ({reach_mm:.0f} mm to its corners), got source_mm "
                f"{source_mm:g}; make the image smaller"
            )

    @property
    def is_fan(self) -> bool:
        """Whether the rays start at one point."""
        return self.beam_mm is not None

    @property
    def shape(self) -> tuple[int, int]:
        """(views, detectors) of the sinogram."""
        return len(self.angles_deg), self.n_detectors

    @property
    def bins_mm(self) -> np.ndarray:
        """Where each bin lies on the detector, (detectors,)."""
        return (np.arange(self.n_detectors) - (self.n_detectors - 1) / 2) * self.detector_mm

    def with_views(self, views: np.ndarray) -> "ScanGeometry":
        """The same scan with some of its views, by index."""
        return replace(self, angles_deg=self.angles_deg[views])

    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """The direction phi (radians) and offset t (mm) of each ray x cos(phi) + y sin(phi) = t, (views, detectors)."""
        angles = np.deg2rad(self.angles_deg)[:, None]
        if self.beam_mm is None:
            return np.broadcast_to(angles, self.shape), np.broadcast_to(self.bins_mm, self.shape)
        source_mm, distance_mm = self.beam_mm
        gamma = np.arctan2(self.bins_mm, distance_mm)
        # The ray leaves the source at gamma from the central ray towards larger t: its normal turns back by gamma.
        return angles - gamma, np.broadcast_to(source_mm * np.sin(gamma), self.shape)
