"""A volume that moves: time is its own axis, never a fourth of space."""

from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Source, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Cine:
    """Volumes of one place over time (or over b-value or echo: `axis` names it).

    array     (time, slices, rows, columns), or with a last colour axis of 3
    times_s   seconds from the first frame, shape (time,); for an axis other than time, the frame number
    axis      "time", "diffusion", "echo", "frame"
    bvals     s/mm², bvecs unit vectors in LPS, shape (time, 3); None unless diffusion
    """

    array: np.ndarray = field(repr=False)
    times_s: np.ndarray
    grid: Grid
    unit: str = "a.u."
    modality: str = ""
    axis: str = "time"
    bvals: np.ndarray | None = None
    bvecs: np.ndarray | None = None
    facts: Facts = Facts()
    source: Source = Source()

    def __post_init__(self) -> None:
        if self.array.ndim not in (4, 5) or (self.array.ndim == 5 and self.array.shape[4] != 3):
            raise InputError(f"cine: expected (time, slices, rows, columns[, 3]), got {self.array.shape}")
        if self.array.shape[1:4] != self.grid.shape:
            raise GeometryError(f"cine: expected the grid's shape {self.grid.shape}, got {self.array.shape[1:4]}")
        if self.times_s.shape != (self.array.shape[0],):
            raise InputError(f"cine: expected {self.array.shape[0]} times, got shape {self.times_s.shape}")

    def frame(self, index: int) -> Volume:
        """One moment as a volume. Where the source lists an instance per frame of a 2-D cine, that one is kept."""
        source = self.source
        if source.instances:
            per_frame = self.grid.shape[0]
            chosen = source.instances[index * per_frame : (index + 1) * per_frame]
            source = Source(
                source.kind, source.study_uid, source.series_uid, source.frame_of_reference_uid,
                chosen if len(chosen) == per_frame else (), source.digests, source.paths,
            )  # fmt: skip
        return Volume(self.array[index], self.grid, self.unit, self.modality, self.facts, source)
