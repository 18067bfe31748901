"""What a reading task is, and the case that it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.reading import Abstention, Reading
from isocenter.core.volume import Volume
from isocenter.zoo.predict import Models


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What a task may know beside the pixels.

    context   clinical facts from `--context`: sex, age, pixel_size_mm, smoker …; unknown facts are absent
    models    opens models from the zoo on first use and keeps them
    explain   whether to make heat maps and pictures; False in batch prediction
    """

    models: Models
    context: Mapping[str, object] = field(default_factory=dict)
    explain: bool = True

    def number(self, name: str) -> float | None:
        """A numeric fact; None where it is absent. Raises InputError where it is no number."""
        value = self.context.get(name)
        if value is None or value == "":
            return None
        try:
            return float(str(value))
        except ValueError as error:
            raise InputError(f"context {name}: expected a number, got something else; correct the context") from error

    def flag(self, name: str) -> bool | None:
        """A yes/no fact; None where it is absent. Raises InputError where it is neither."""
        value = self.context.get(name)
        if value is None or value == "":
            return None
        known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        try:
            return known[str(value).lower()]
        except KeyError as error:
            raise InputError(f"context {name}: expected yes or no, got something else; correct the context") from error


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One reading task.

    modalities   DICOM modalities that it takes; an image without a stated modality is routed by its pixels
    body_parts   BodyPartExamined values (upper case) that route to it
    routes       classes of the intake model that route to it
    models       names of the models that it asks, empty for none
    columns      what `isocenter predict` prints for it, in order
    automatic    whether `--task auto` may pick it
    """

    name: str
    dimension: Literal["2d", "3d"]
    modalities: frozenset[str]
    body_parts: frozenset[str]
    routes: frozenset[str]
    models: tuple[str, ...]
    columns: tuple[str, ...]
    read: Callable[[Volume, Case], Reading]
    automatic: bool = True

    def takes(self, image: Volume | Cine) -> bool:
        """Whether dimension and stated modality let this task look at the image at all."""
        slices = image.grid.shape[0]
        fits = slices == 1 if self.dimension == "2d" else slices > 1 and isinstance(image, Volume)
        return fits and (not image.modality or image.modality in self.modalities)


def abstain(task: str, image: Volume, code: str, **values: str) -> Reading:
    """A reading that answers nothing, with the named reason."""
    return Reading(task, image.source.series_uid, abstained=Abstention(code, values))
