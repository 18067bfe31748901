"""Two images of one place in, fused images, pictures and a table out: what `isocenter fuse` does."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.app.image_files import open_image, open_regions
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume, Window
from isocenter.imaging.fuse import JointRow, bring_onto, covered_share, fuse_pca, fuse_wavelet, joint_table
from isocenter.imaging.fuse_pictures import (
    PLANES,
    blend,
    checkerboard_sheet,
    cut_plane,
    fit_picture,
    over_gray,
    red_cyan,
)
from isocenter.imaging.intensity import robust_window, to_gray, to_uint8
from isocenter.imaging.overlay import montage
from isocenter.io.atomic import atomic_write
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png

# Soft tissue, for CT whose file states no window.
_SOFT_TISSUE: Final = Window(40, 400)
_PICTURE_SIDE: Final = 512
# Share of the first image: less is hardly a fusion.
_HARDLY: Final = 0.01


def fuse_files(
    first_path: Path, second_path: Path, out: Path, *, labels_path: Path | None = None, roi: Sequence[str] = ()
) -> dict[str, object]:
    """Bring the second image onto the first one's grid and write the folder; what `metrics.json` holds.

    Files: `moved.nii.gz` (the second image on the first grid), `fused_wavelet.nii.gz`, `fused_pca.nii.gz`,
    `overlay.png` (the second in hot metal over the first), `red_cyan.png`, `blend.png`, `checkerboard.png`,
    `features.csv` (one row per label of `labels_path`, else one of the whole image), `metrics.json`.

    roi   names or numbers of the regions that are wanted, of a mask that names them

    Raises what reading and `bring_onto` raise.
    """
    first, second = open_image(first_path), open_image(second_path)
    if first.is_colour or second.is_colour:
        raise InputError("fusion: expected two gray images, got colour; convert it with isocenter enhance grey")
    moved = bring_onto(first, second)
    labels = None if labels_path is None else open_regions(labels_path, first, roi=roi)
    if labels is not None and not labels.labels:
        raise InputError("mask: expected voxels above 0, found none; check that this is the mask")
    share = covered_share(first.grid, second.grid) if second.grid.position_known else 1.0
    rows = joint_table(first, moved, labels)
    fused, weights = fuse_pca(first, moved)
    out.mkdir(parents=True, exist_ok=True)
    write_nifti(moved, out / "moved.nii.gz")
    write_nifti(fused, out / "fused_pca.nii.gz")
    write_nifti(fuse_wavelet(first, moved), out / "fused_wavelet.nii.gz")
    for name, picture in draw_fusion(first, moved).items():
        write_png(picture, out / f"{name}.png")
    _write_table(rows, out / "features.csv")
    metrics = {
        "covered_share": share,
        "pca_weights": list(weights),
        "correlation": None if np.isnan(rows[0].correlation) else rows[0].correlation,
        "information_nats": rows[0].information_nats,
        "warnings": frame_warnings(first, second) + cover_warnings(share),
    }
    atomic_write(out / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    return metrics


def draw_fusion(first: Volume, moved: Volume) -> dict[str, np.ndarray]:
    """The pictures by name, uint8 RGB: three planes through the brightest place of the second image, side by side."""
    gray = to_uint8(np.nan_to_num(to_gray(first).array), _window_of(first))
    values = np.nan_to_num(np.asarray(to_gray(moved).array, dtype=np.float32))
    # Uptake is shown from 0; what goes below 0 from its low percentile.
    low, high = (float(value) for value in np.percentile(values, (0.5, 99.8)))
    low = 0.0 if values.min() >= 0 else low
    heat = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    at = _brightest(heat)
    sheets: dict[str, list[np.ndarray]] = {"overlay": [], "red_cyan": [], "blend": []}
    for plane in PLANES[:1] if first.is_2d else PLANES:
        index = at[PLANES.index(plane)]
        base = fit_picture(cut_plane(gray, first.grid, plane, index=index), _PICTURE_SIDE)
        hot = fit_picture(cut_plane(heat, first.grid, plane, index=index), _PICTURE_SIDE)
        shown = np.rint(hot * 255).astype(np.uint8)
        sheets["overlay"].append(over_gray(base, hot))
        sheets["red_cyan"].append(red_cyan(base, shown))
        sheets["blend"].append(blend(base, shown))
    pictures = {name: montage(parts, n_columns=len(parts)) for name, parts in sheets.items()}
    return {**pictures, "checkerboard": checkerboard_sheet(first, moved)}


def _brightest(heat: np.ndarray) -> tuple[int, int, int]:
    """The plane along each axis that holds most of what is bright."""
    bright = np.where(heat > 0.6, heat, 0)
    found = [int(np.argmax(bright.sum(axis=tuple(n for n in range(3) if n != axis)))) for axis in range(3)]
    return found[0], found[1], found[2]


def _window_of(volume: Volume) -> Window:
    if volume.facts.windows:
        return volume.facts.windows[0]
    return _SOFT_TISSUE if volume.unit == "HU" else robust_window(to_gray(volume).array)


def frame_warnings(first: Volume, second: Volume) -> list[str]:
    """What makes the world frame doubtful, one line each."""
    uids = {image.source.frame_of_reference_uid for image in (first, second)} - {""}
    if len(uids) > 1:
        return ["the images state different frames of reference: their places need not agree; register them"]
    return []


def cover_warnings(share: float) -> list[str]:
    """One line where the second image hardly reaches the first; none where it does."""
    if share < _HARDLY:
        return [f"the second image covers {share:.2%} of the first; check that both show the same place"]
    return []


def _write_table(rows: tuple[JointRow, ...], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [each.name for each in fields(JointRow)]
    writer.writerow(names)
    for row in rows:
        values = asdict(row)
        writer.writerow([values[name] if isinstance(values[name], int) else f"{values[name]:.6g}" for name in names])
    atomic_write(path, text.getvalue().encode())
