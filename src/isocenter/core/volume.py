"""A voxel array with its place, its unit and where it came from."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid


@dataclass(frozen=True, slots=True)
class Instance:
    """One slice's origin: a DICOM SOP instance and, in a multi-frame object, its frame (1-based)."""

    sop_class_uid: str
    sop_uid: str
    frame: int | None = None
    path: Path | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window of PS3.3 C.11.2: centre and width in the volume's intensity unit.

    function   LINEAR, LINEAR_EXACT or SIGMOID
    """

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a header (or the caller's context) states about an image; "" or None is unknown. Never names a patient.

    view           ViewPosition of a projection, "" elsewhere
    notes          what the reader of the file saw and did, as codes with values ("gantry-tilt-corrected: 12.0 deg")
    """

    body_part: str = ""
    laterality: str = ""
    view: str = ""
    manufacturer: str = ""
    kvp: float | None = None
    slice_thickness_mm: float | None = None
    kernel: str = ""
    contrast: bool | None = None
    image_type: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    burned_in: bool | None = None
    notes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str | float | int], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a volume came from.

    kind        "dicom", "nifti", "nrrd", "raster", "video", "array"
    instances   one per slice for DICOM, empty elsewhere
    digests     SHA-256 ("sha256:…") of each input file, in reading order
    """

    kind: str = "array"
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    instances: tuple[Instance, ...] = ()
    digests: tuple[str, ...] = ()
    paths: tuple[Path, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A voxel array with its place, its unit and where it came from.

    array      (slices, rows, columns), or (slices, rows, columns, 3) for colour; a 2-D image has one slice
    unit       of the intensities: "HU", "Bq/ml", "SUVbw", "a.u.", "sRGB" …
    modality   DICOM Modality ("CT", "US", …); "" where nobody stated it
    """

    array: np.ndarray = field(repr=False)
    grid: Grid
    unit: str = "a.u."
    modality: str = ""
    facts: Facts = Facts()
    source: Source = Source()

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4) or (self.array.ndim == 4 and self.array.shape[3] != 3):
            raise InputError(
                f"volume: expected (slices, rows, columns) or (slices, rows, columns, 3), got {self.array.shape}"
            )
        if self.array.shape[:3] != self.grid.shape:
            raise GeometryError(f"volume: expected the grid's shape {self.grid.shape}, got {self.array.shape[:3]}")
        if self.source.instances and len(self.source.instances) != self.grid.shape[0]:
            raise GeometryError(
                f"volume: expected one source instance per slice ({self.grid.shape[0]}), "
                f"got {len(self.source.instances)}"
            )

    @property
    def is_colour(self) -> bool:
        """Whether the last axis holds red, green and blue."""
        return self.array.ndim == 4

    @property
    def is_2d(self) -> bool:
        """Whether this is one image rather than a stack."""
        return self.grid.shape[0] == 1

    def with_array(self, array: np.ndarray, unit: str | None = None) -> "Volume":
        """The same place and origin with other values on the same grid."""
        return replace(self, array=array, unit=self.unit if unit is None else unit)
