"""Where a voxel array sits in the patient."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isocenter.core.errors import GeometryError, UnknownSpacingError

SpacingSource = Literal["patient", "detector", "context", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where a voxel array sits in the patient.

    shape            (slices, rows, columns)
    affine           (4, 4); index (k, j, i, 1) -> LPS millimetres (x, y, z)
    spacing_source   who states the millimetres: the patient plane, the detector plane (projection
                     radiography, magnified), the caller's context, or nobody
    position_known   whether the affine's directions and origin are the patient's; False for an ultrasound frame,
                     whose pixel size may be known while its place is not
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    spacing_source: SpacingSource = "patient"
    position_known: bool = True

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"grid shape: expected three positive sizes, got {self.shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4):
            raise GeometryError(f"affine: expected shape (4, 4), got {affine.shape}")
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise GeometryError("affine: expected finite numbers and a positive voxel volume, got a degenerate matrix")
        if not np.array_equal(affine[3], (0, 0, 0, 1)):
            raise GeometryError(f"affine: expected last row (0, 0, 0, 1), got {affine[3].tolist()}")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def of_pixels(cls, shape: tuple[int, int, int]) -> "Grid":
        """The grid of an image about whose place and size nothing is known: one unit per pixel, x = i, y = j, z = k."""
        affine = np.zeros((4, 4))
        affine[0, 2] = affine[1, 1] = affine[2, 0] = affine[3, 3] = 1.0
        return cls(shape, affine, spacing_source="unknown", position_known=False)

    @classmethod
    def of_spacing(
        cls,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> "Grid":
        """An axial grid: columns run to the patient's left, rows to the back, slices to the head.

        spacing_mm   along (slices, rows, columns)
        origin_mm    LPS place of voxel (0, 0, 0)
        """
        affine = np.eye(4)
        affine[:3, :3] = 0
        affine[2, 0], affine[1, 1], affine[0, 2] = spacing_mm
        affine[:3, 3] = origin_mm
        return cls(shape, affine)

    @property
    def spacing_known(self) -> bool:
        """Whether millimetres are real."""
        return self.spacing_source != "unknown"

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance between neighbours along k, j, i; shape (3,). Raises UnknownSpacingError where nobody stated it."""
        self._require_spacing()
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    def _require_spacing(self) -> None:
        if not self.spacing_known:
            raise UnknownSpacingError(
                "millimetres: expected a pixel size, the image states none; give it as --pixel-size-mm, or as "
                "pixel_size_mm in a --context"
            )

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in millilitres; exact for sheared grids too. Raises as `spacing_mm` does."""
        self._require_spacing()
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def to_world_mm(self, index: np.ndarray) -> np.ndarray:
        """LPS millimetres, shape (..., 3), of indices (k, j, i), shape (..., 3)."""
        return np.asarray(np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, world_mm: np.ndarray) -> np.ndarray:
        """Fractional indices (k, j, i), shape (..., 3), of LPS millimetres, shape (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.asarray(world_mm, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3])

    def with_spacing(self, row_mm: float, column_mm: float) -> "Grid":
        """The same grid with a pixel size that the caller vouches for (`--context pixel_size_mm`)."""
        if not (np.isfinite([row_mm, column_mm]).all() and min(row_mm, column_mm) > 0):
            raise GeometryError(f"pixel size: expected positive millimetres, got {row_mm} x {column_mm}")
        affine = self.affine.copy()
        norms = np.linalg.norm(affine[:3, :3], axis=0)
        affine[:3, 1] *= row_mm / norms[1]
        affine[:3, 2] *= column_mm / norms[2]
        return Grid(self.shape, affine, "context", self.position_known)


def require_same_grid(fixed: Grid, moving: Grid, tolerance_mm: float = 0.01) -> None:
    """Raise GeometryError unless both grids cover the same voxels."""
    worst_mm = float(np.abs(fixed.affine - moving.affine).max())
    if fixed.shape != moving.shape or worst_mm > tolerance_mm:
        raise GeometryError(
            f"expected one grid, got {fixed.shape} and {moving.shape}, {worst_mm:.2f} mm apart; "
            "resample one to the other first"
        )
