"""Series in, volumes on disk out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from isocenter.core.errors import IsocenterError
from isocenter.core.study import InputFailure
from isocenter.io.convert import convert_series
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies


def convert_paths(
    paths: Sequence[Path],
    out: Path,
    fmt: Literal["nifti", "nrrd"],
    *,
    on_written: Callable[[Path], None] = lambda path: None,
) -> tuple[list[Path], list[InputFailure]]:
    """Write every series under the paths into `out`; the files written and what failed."""
    written: list[Path] = []
    failures: list[InputFailure] = []
    with open_inputs(paths) as inputs:
        for study in iter_studies(inputs):
            for image in study.volumes:
                label = image.source.paths[0] if image.source.paths else Path(study.key)
                try:
                    out.mkdir(parents=True, exist_ok=True)
                    made = convert_series(image, out, fmt)
                except IsocenterError as error:
                    failures.append(InputFailure(label, str(error)))
                    continue
                written += made
                for path in made:
                    on_written(path)
        failures += inputs.failures
    return written, failures
