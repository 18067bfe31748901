"""From a header's axes to a volume: what NRRD and MetaImage have in common."""

from dataclasses import dataclass, replace

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.boundary import require_finite, require_image
from isocenter.io.raster import collapse_equal_channels


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A header's spatial axes, fastest first.

    sizes            (columns, rows, slices); two numbers for a picture
    axes_mm          (n, 3): the step from voxel to voxel along each axis, LPS millimetres; None where no size is stated
    origin_mm        LPS place of the first voxel
    position_known   whether directions and origin are the patient's
    """

    sizes: tuple[int, ...]
    axes_mm: np.ndarray | None
    origin_mm: np.ndarray
    position_known: bool

    def grid(self) -> Grid:
        """The grid of the array in (slices, rows, columns) order."""
        shape = (*reversed(self.sizes),)
        shape = (1, *shape) if len(shape) == 2 else shape
        three = (int(shape[0]), int(shape[1]), int(shape[2]))
        if self.axes_mm is None:
            return Grid.of_pixels(three)
        axes = self.axes_mm
        if len(axes) == 2:  # a picture: one slice, as thick as a unit
            normal = np.cross(axes[0], axes[1])
            axes = np.vstack((axes, normal / max(float(np.linalg.norm(normal)), 1e-12)))
        affine = np.eye(4)
        affine[:3, :3] = axes[::-1].T
        affine[:3, 3] = self.origin_mm
        return Grid(three, affine, "patient", self.position_known)


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The axis beside space: what it counts and where its steps lie; `axis` as in `Cine`."""

    axis: str
    times_s: np.ndarray
    bvals: np.ndarray | None = None
    bvecs: np.ndarray | None = None


def build_image(
    array: np.ndarray, lattice: Lattice, *, source: Source, frames: Frames | None = None, unit: str = ""
) -> Volume | Cine:
    """The array on its grid: (frames, slices, rows, columns[, 3]) with `frames`, else without the first axis.

    Three channels of equal content become gray. Raises FormatError for NaN and for a dot.
    """
    grid = lattice.grid()
    lead = (array.shape[0],) if frames else ()
    is_colour = array.ndim == len(lead) + len(lattice.sizes) + 1
    array = array.reshape(*lead, *grid.shape, *((3,) if is_colour else ()))
    require_image(grid.shape)
    require_finite(array)
    array = collapse_equal_channels(array) if is_colour else array
    unit = unit or ("sRGB" if array.ndim == len(lead) + 4 else "a.u.")
    if frames is None:
        return Volume(array, grid, unit, source=source)
    cine = Cine(array, frames.times_s, grid, unit, axis=frames.axis, source=source)
    return replace(cine, bvals=frames.bvals, bvecs=frames.bvecs) if frames.bvals is not None else cine


def numbers(text: str, count: int | None = None) -> tuple[float, ...]:
    """The numbers of a header line. Raises FormatError where they are not `count` finite numbers."""
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError as error:
        raise FormatError("expected numbers in the header, got text; export the image again") from error
    if (count is not None and len(values) != count) or not np.isfinite(values).all():
        raise FormatError(
            f"expected {count or 'finite'} numbers in the header, got {len(values)}; export the image again"
        )
    return values


def sizes_of(text: str, dimension: int) -> tuple[int, ...]:
    """The axis lengths of a header line, positive whole numbers."""
    values = numbers(text, dimension)
    if any(value != int(value) or value < 1 for value in values):
        raise FormatError("expected positive whole sizes in the header, got others; export the image again")
    return tuple(int(value) for value in values)
