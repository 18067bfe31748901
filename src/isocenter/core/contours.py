"""Closed curves that somebody drew around a thing, plane by plane."""

from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import GeometryError


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One drawn thing.

    number     from 1, in the order of the file
    name       "" where nobody named it
    outlines   closed curves, each (points, 3) in LPS millimetres; the last point joins the first
    """

    number: int
    name: str
    outlines: tuple[np.ndarray, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for outline in self.outlines:
            if outline.ndim != 2 or outline.shape[1] != 3 or len(outline) < 3:
                raise GeometryError(f"outline: expected (3 points or more, 3), got {outline.shape}")
            if not np.isfinite(outline).all():
                raise GeometryError("outline: expected finite millimetres, got NaN or infinity")


@dataclass(frozen=True, slots=True, eq=False)
class StructureSet:
    """The drawn things of one file.

    sop_uids   the images that they were drawn on
    notes      what was left out and why, one line each
    """

    structures: tuple[Structure, ...]
    frame_of_reference_uid: str = ""
    sop_uids: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
