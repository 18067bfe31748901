"""Images in, one row of quality figures each out: what `isocenter quality` does."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from isocenter.app.image_files import open_image, require_place, with_pixel_size
from isocenter.core.cine import Cine
from isocenter.core.errors import InputError, IsocenterError
from isocenter.core.grid import require_same_grid
from isocenter.core.study import InputFailure
from isocenter.core.volume import Volume
from isocenter.evaluation.image_quality import mse, psnr, ssim
from isocenter.evaluation.spectra import mtf_of_edge, mtf_of_point, noise_power
from isocenter.imaging.quality import check_image
from isocenter.imaging.quality_figures import describe_quality
from isocenter.io.atomic import atomic_write
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies

Phantom = Literal["uniform", "edge", "point"]
Row = dict[str, str | float | int | None]
_BURNED: Final = {True: "yes", False: "no", None: ""}


def measure_quality(
    paths: Sequence[Path],
    *,
    reference: Path | None = None,
    phantom: Phantom | None = None,
    pixel_size_mm: float | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> tuple[list[Row], list[InputFailure]]:
    """One row per image under the paths, in their order, and what could not be read.

    reference       an image of the same grid: adds mse, psnr and ssim against it
    phantom         what the images show: "uniform" adds the noise power spectrum's figures, "edge" and "point" those
                    of the modulation transfer function, in the middle slice
    pixel_size_mm   of the phantom's pictures, where their files state none
    """
    target = open_image(reference) if reference is not None else None
    rows: list[Row] = []
    failures: list[InputFailure] = []
    seen: dict[str, int] = {}
    with open_inputs(paths) as inputs:
        for study in iter_studies(inputs):
            for image in study.volumes:
                labels = _labels_of(image)
                try:
                    row = _row_of(image, target)
                    if phantom is not None:
                        row.update(_of_phantom(with_pixel_size(_still(image), pixel_size_mm), phantom))
                except IsocenterError as error:
                    failures.extend(InputFailure(label, str(error)) for label in labels)
                    continue
                for label in labels:
                    seen[str(label)] = seen.get(str(label), 0) + 1
                    rows.append({"file": str(label), "image": seen[str(label)], **row})
                on_image()
        failures += inputs.failures
    return rows, failures


def write_quality(rows: Sequence[Row], out: Path) -> None:
    """The table as CSV, whole or not there; a figure that an image does not have is empty."""
    require_place(out)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    atomic_write(out, stream.getvalue().encode())


def _text(value: str | float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _labels_of(image: Volume | Cine) -> tuple[Path, ...]:
    """The folder of a DICOM series, the file of any other image, every one of files with equal bytes."""
    paths = image.source.paths
    if image.source.kind == "dicom" and len(paths) > 1:
        return (paths[0].parent,)
    return paths or (Path(image.source.series_uid or "image"),)


def _still(image: Volume | Cine) -> Volume:
    """The image, or the middle moment of a cine."""
    return image if isinstance(image, Volume) else image.frame(len(image.array) // 2)


def _row_of(image: Volume | Cine, target: Volume | None) -> Row:
    volume = _still(image)
    checks = check_image(volume, gray_expected=volume.modality not in ("OP", "SM", "GM", "ES", "XC"))
    failed = [check.name for check in checks if not check.passed]
    row: Row = {
        "modality": volume.modality, "unit": volume.unit, "slices": volume.grid.shape[0],
        "rows": volume.grid.shape[1], "columns": volume.grid.shape[2],
        "passed": "no" if failed else "yes", "failed": " ".join(failed),
    }  # fmt: skip
    if "size" not in failed and "finite" not in failed:
        found = describe_quality(volume)
        row.update(
            noise_sd=found.noise_sd, snr=found.snr, cnr=found.cnr, ghosting=found.ghosting,
            border_share=found.border_share, letters=found.letters,
        )  # fmt: skip
    row["burned_in"] = _BURNED[volume.facts.burned_in]
    row.update({check.name.replace("-", "_"): check.value for check in checks})
    if target is not None:
        row.update(_against(volume, target))
    return row


def _against(volume: Volume, target: Volume) -> Mapping[str, float]:
    """Differences from the reference; colour is compared over all channels, and its SSIM is their mean."""
    require_same_grid(target.grid, volume.grid)
    if volume.array.shape != target.array.shape:
        raise InputError("quality: expected image and reference both in gray or both in colour")
    span = 255.0 if target.array.dtype == np.uint8 else None
    first, second = target.array.astype(np.float64), volume.array.astype(np.float64)
    channels = [(first, second)] if not volume.is_colour else [(first[..., c], second[..., c]) for c in range(3)]
    return {
        "mse": mse(first, second),
        "psnr": psnr(first, second, data_range=span),
        "ssim": float(np.mean([_ssim(*pair, span) for pair in channels])),
    }


def _ssim(first: np.ndarray, second: np.ndarray, span: float | None) -> float:
    """In three dimensions, or slice by slice where there are too few slices for the window."""
    if 1 < len(first) < 11:
        spread = float(np.ptp(first)) if span is None else span
        return float(np.mean([ssim(a, b, data_range=spread) for a, b in zip(first, second, strict=True)]))
    return ssim(first, second, data_range=span)


def _of_phantom(volume: Volume, phantom: Phantom) -> Mapping[str, float]:
    """Noise power or transfer function of the middle slice; the inner half of a uniform phantom, in blocks."""
    if volume.is_colour:
        raise InputError("quality: expected a gray picture of a phantom, got colour")
    row_mm, column_mm = (float(step) for step in volume.grid.spacing_mm[1:])
    picture = volume.array[len(volume.array) // 2].astype(np.float64)
    if phantom == "uniform":
        rows, columns = picture.shape
        inner = picture[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
        power = noise_power(_blocks(inner), pixel_mm=(row_mm, column_mm))
        peak = int(np.argmax(power.power))
        return {
            "nps_variance": power.variance, "nps_peak": float(power.power[peak]),
            "nps_peak_per_mm": float(power.frequencies_per_mm[peak]),
        }  # fmt: skip
    measure = mtf_of_edge if phantom == "edge" else mtf_of_point
    transfer = measure(picture, pixel_mm=(row_mm, column_mm))
    return {"mtf50_per_mm": transfer.frequency_at(0.5), "mtf10_per_mm": transfer.frequency_at(0.1)}


def _blocks(picture: np.ndarray) -> np.ndarray:
    """Half-overlapping square blocks of up to 64 pixels, (blocks, side, side)."""
    side = min(64, *picture.shape)
    starts = [range(0, size - side + 1, max(side // 2, 1)) for size in picture.shape]
    return np.stack([picture[j : j + side, i : i + side] for j in starts[0] for i in starts[1]])
