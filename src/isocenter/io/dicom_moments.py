"""What orders the frames of one place: time, diffusion weighting, or just their number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from isocenter.io.dicom_frames import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Volumes in order.

    frames    [moment][slice]
    axis      "" for one moment, else "time", "diffusion" or "frame"
    times_s   seconds from the first; numbers where no clock runs
    """

    frames: list[list[Frame]]
    axis: str
    times_s: np.ndarray
    notes: tuple[str, ...] = ()


Key = Callable[[Frame], tuple[float, ...] | None]
_CLOCKS: Final = (
    "TemporalPositionTimeOffset", "NominalCardiacTriggerDelayTime", "TriggerTime", "FrameReferenceTime", "FrameTime",
    "FrameReferenceDateTime", "FrameAcquisitionDateTime", "AcquisitionTime", "ContentTime",
)  # fmt: skip
_ORDER: Final = (
    "TemporalPositionIndex", "TemporalPositionIdentifier", "@TemporalPositionTimeOffset",
    "@NominalCardiacTriggerDelayTime", "@TriggerTime", "@FrameReferenceTime", "@AcquisitionTime", "AcquisitionNumber",
    "InstanceNumber", "DimensionIndexValues", "frame",
)  # fmt: skip


def order_moments(volumes: list[list[Frame]], *, by_file_order: bool = False) -> Moments:
    """The frames of each place in the order of their moments.

    volumes         [any][slice]: each column holds the frames of one place, in any order
    by_file_order   keep the order given (a film)
    """
    if len(volumes) == 1:
        return Moments(volumes, "", np.zeros(1))
    is_diffusion = not by_file_order and _is_diffusion(volumes)
    if not by_file_order:
        volumes = _sort_columns(volumes, is_diffusion)
    if is_diffusion:
        return Moments(volumes, "diffusion", np.arange(len(volumes), dtype=float))
    times_s = _read_clock(volumes)
    if times_s is not None:
        return Moments(volumes, "time", times_s)
    repetition_ms = volumes[0][0].repetition_ms
    if repetition_ms and volumes[0][0].header.text("Modality") == "MR" and len(volumes[0]) > 1:
        times_s = np.arange(len(volumes)) * repetition_ms / 1000
        return Moments(volumes, "time", times_s, ("times-from-repetition-time",))
    return Moments(volumes, "frame", np.arange(len(volumes), dtype=float), ("frame-times-unknown",))


def _is_diffusion(volumes: list[list[Frame]]) -> bool:
    """Whether one place was seen with several weightings."""
    weightings = {volume[0].diffusion for volume in volumes}
    return len(weightings - {None}) > 1


def _sort_columns(volumes: list[list[Frame]], is_diffusion: bool) -> list[list[Frame]]:
    columns = [list(column) for column in zip(*volumes, strict=True)]
    for name in ("InstanceNumber", "DimensionIndexValues", "frame") if is_diffusion else _ORDER:
        key = _key(name)
        if all(_is_distinct(column, key) for column in columns):
            volumes = _sorted_by(columns, key)
            if not is_diffusion or _is_consistent(volumes):
                return volumes
    if is_diffusion:
        return _sorted_by(columns, _weighting)
    return volumes


def _key(name: str) -> Key:
    if name.startswith("@"):
        clock = name[1:]
        return lambda frame: (frame.clocks_s[clock],) if clock in frame.clocks_s else None
    return lambda frame: frame.steps.get(name)


def _weighting(frame: Frame) -> tuple[float, ...]:
    if frame.diffusion is None:
        return (-1.0,)
    return (frame.diffusion.b_value, *frame.diffusion.direction, *frame.steps.get("InstanceNumber", (0.0,)))


def _is_distinct(column: Sequence[Frame], key: Key) -> bool:
    values = [key(frame) for frame in column]
    return None not in values and len(set(values)) == len(values)


def _sorted_by(columns: list[list[Frame]], key: Key) -> list[list[Frame]]:
    ordered = [sorted(column, key=lambda frame: key(frame) or ()) for column in columns]
    return [list(volume) for volume in zip(*ordered, strict=True)]


def _is_consistent(volumes: list[list[Frame]]) -> bool:
    """Whether all slices of a moment were weighted alike."""
    return all(len({frame.diffusion for frame in volume}) == 1 for volume in volumes)


def _read_clock(volumes: list[list[Frame]]) -> np.ndarray | None:
    """Seconds from the first moment by the best clock that runs forward through all of them."""
    for name in _CLOCKS:
        if all(name in frame.clocks_s for volume in volumes for frame in volume):
            times_s = np.array([min(frame.clocks_s[name] for frame in volume) for volume in volumes])
            if (np.diff(times_s) > 0).all():
                return np.asarray(times_s - times_s[0])
    return None
