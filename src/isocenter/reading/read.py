"""A study goes to the tasks that fit it; what fits none is said so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.reading import Abstention, Reading
from isocenter.core.study import Study
from isocenter.core.volume import Volume
from isocenter.imaging.hounsfield import looks_like_hounsfield
from isocenter.reading.task import Case, Task, abstain

# Tried in this order; "module:attribute", imported on first use.
TASKS: Mapping[str, str] = {
    "intake": "isocenter.reading.tasks.intake:TASK",
    "breast-us": "isocenter.reading.tasks.breast_us:TASK",
    "fetal-head": "isocenter.reading.tasks.fetal_head:TASK",
    "chest-ct": "isocenter.reading.tasks.chest_ct:TASK",
}


@cache
def load_task(name: str) -> Task:
    """The task of that name. Raises InputError if there is none."""
    if name not in TASKS:
        raise InputError(f"task: expected one of {', '.join(TASKS)}, got {name!r}")
    module, attribute = TASKS[name].split(":")
    task: Task = getattr(import_module(module), attribute)
    return task


@dataclass(frozen=True, slots=True)
class Route:
    """Where one image goes: a task, or none with the reason (a reading that abstains)."""

    image: Volume | Cine
    task: Task | None
    intake: Reading | None = None


def read_study(study: Study, case: Case, *, task: str = "auto") -> tuple[Reading, ...]:
    """The readings of a study: one per image that a task took, or the reasons why none did.

    task   "auto" routes by modality, body part, dimension and pixels, never by a file's name
    """
    study = replace(study, volumes=tuple(map(_with_unit, study.volumes)))
    if task != "auto":
        chosen = load_task(task)
        fitting = [image for image in study.volumes if chosen.takes(image)]
        if fitting:
            done = [read_image(image, chosen, case) for image in _best(fitting, chosen)]
            return _say_left_out(done, len(study.volumes))
        return tuple(_refuse(image, chosen) for image in study.volumes[:1])
    routes = [route_image(image, case) for image in study.volumes]
    readings: list[Reading] = []
    for name in TASKS:
        taken = [route.image for route in routes if route.task and route.task.name == name]
        if taken:
            readings += [read_image(image, load_task(name), case) for image in _best(taken, load_task(name))]
    return _say_left_out(readings, len(routes)) if readings else _no_task(routes)


def read_image(image: Volume | Cine, task: Task, case: Case) -> Reading:
    """One task's reading of one image; of a cine, its middle frame, and the reading says so."""
    if isinstance(image, Volume):
        return task.read(_with_pixel_size(image, case), case)
    count = image.array.shape[0]
    middle = count // 2
    reading = task.read(_with_pixel_size(image.frame(middle), case), case)
    said = ("cine-frame", {"frame": str(middle + 1), "count": str(count)})
    return replace(reading, statements=(*reading.statements, said))


def route_image(image: Volume | Cine, case: Case) -> Route:
    """The task for an image: by header where it states enough, else by its pixels."""
    candidates = [task for task in map(load_task, TASKS) if task.automatic and task.takes(image)]
    stated = [task for task in candidates if image.modality and image.facts.body_part.upper() in task.body_parts]
    if stated:
        return Route(image, stated[0])
    volumes = [task for task in candidates if task.dimension == "3d"]
    if volumes:
        # A volume without a stated body part: the task's own gate looks for the organ.
        unstated = not image.facts.body_part or image.facts.body_part.upper() in _VAGUE_PARTS
        return Route(image, volumes[0] if unstated and (image.modality or image.unit == "HU") else None)
    if image.grid.shape[0] > 1:
        return Route(image, None)
    intake = load_task("intake")
    seen = read_image(image, intake, case)
    route = str(seen.parameters.get("route", ""))
    pixels = [task for task in candidates if route and route in task.routes]
    return Route(image, pixels[0] if pixels else None, seen)


_INFERRED = "modality-inferred: CT by its air and tissue peaks"
# BodyPartExamined values that name no organ, or a span that holds the chest.
_VAGUE_PARTS = frozenset({"", "WHOLEBODY", "BODY", "TRUNK", "CHESTABDOMEN", "CHESTABDPELVIS", "THORAX_ABD", "UNKNOWN"})


def _best(images: list[Volume | Cine], task: Task) -> Iterable[Volume | Cine]:
    """Every image of a 2-D task; of a volume task the series with the most slices (PS3.3: thinnest of one scan)."""
    if task.dimension == "2d":
        return images
    return [max(images, key=lambda image: image.grid.shape[0])]


def _say_left_out(readings: list[Reading], n_images: int) -> tuple[Reading, ...]:
    """The readings; the first also states how many of the study's image series nobody read."""
    left_out = n_images - len(readings)
    if not left_out:
        return tuple(readings)
    said = ("left-out", {"count": str(left_out)})
    return (replace(readings[0], statements=(*readings[0].statements, said)), *readings[1:])


def _with_unit(image: Volume | Cine) -> Volume | Cine:
    """A stack without a stated modality (NIfTI) whose numbers are plainly Hounsfield units becomes a CT."""
    if isinstance(image, Cine) or image.modality or image.unit != "a.u." or not looks_like_hounsfield(image):
        return image
    return replace(image, unit="HU", modality="CT", facts=replace(image.facts, notes=(*image.facts.notes, _INFERRED)))


def _with_pixel_size(image: Volume, case: Case) -> Volume:
    """The image with the caller's pixel size, where it states none of its own."""
    size_mm = case.number("pixel_size_mm")
    if size_mm is None or image.grid.spacing_known:
        return image
    grid = image.grid.with_spacing(size_mm, size_mm)
    return replace(image, grid=grid)


def _refuse(image: Volume | Cine, task: Task) -> Reading:
    """A task asked for by name, and no image of the kind that it takes."""
    got = f"{image.modality or 'unknown'} {'x'.join(map(str, image.grid.shape))}"
    return Reading(
        task.name,
        image.source.series_uid,
        abstained=Abstention("wrong-input", {"task": task.name, "got": got}),
    )


def _no_task(routes: Iterable[Route]) -> tuple[Reading, ...]:
    """What intake saw, under the one reason that no task reads it."""
    readings = []
    for route in routes:
        if route.intake is None:
            middle = route.image if isinstance(route.image, Volume) else route.image.frame(0)
            readings.append(abstain("", middle, "no-task"))
            continue
        said = route.intake.statements
        if not said and "picture" in route.intake.parameters:
            said = (("seen-by-intake", {"class": str(route.intake.parameters["picture"])}),)
        readings.append(replace(route.intake, findings=(), abstained=Abstention("no-task"), statements=said))
    return tuple(readings)
