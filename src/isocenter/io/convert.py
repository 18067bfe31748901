"""A series as files for other tools: NIfTI or NRRD, a BIDS-style sidecar, gradients."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.gradients import format_fsl, to_fsl
from isocenter.io.nifti import write_nifti
from isocenter.io.nrrd import write_nrrd
from isocenter.io.sidecar import describe_image

_PART = re.compile(r"series-part: (\d+) of \d+")


def convert_series(image: Volume | Cine, out_dir: Path, fmt: Literal["nifti", "nrrd"] = "nifti") -> list[Path]:
    """Write one image with its sidecar; the files that were written, the image first.

    The name is the first 16 hex digits of the SHA-256 of the series UID (of the content where there is none), and _1,
    _2 … where a series came apart. A cine of volumes becomes 4-D; diffusion gets `.bval` and `.bvec` as FSL wants them.

    Raises InputError for a format that we do not write.
    """
    if fmt not in ("nifti", "nrrd"):
        raise InputError(f"format: expected nifti or nrrd, got {fmt!r}")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    stem = series_name(image)
    target = out_dir / f"{stem}{'.nii.gz' if fmt == 'nifti' else '.nrrd'}"
    if fmt == "nifti":
        stored, scaling = _stored_values(image)
        write_nifti(stored, target, scaling=scaling)
    else:
        write_nrrd(image, target)
    written = [target, out_dir / f"{stem}.json"]
    text = json.dumps(describe_image(image), ensure_ascii=False, indent=2, sort_keys=True)
    atomic_write(written[1], (text + "\n").encode())
    if isinstance(image, Cine) and image.bvals is not None and image.bvecs is not None:
        pair = format_fsl(image.bvals, to_fsl(image.bvecs, image.grid.affine))
        for suffix, content in zip((".bval", ".bvec"), pair, strict=True):
            written.append(out_dir / f"{stem}{suffix}")
            atomic_write(written[-1], content.encode())
    return written


def series_name(image: Volume | Cine) -> str:
    """The file stem of a series: 16 hex digits, and its part where it came apart."""
    source = image.source
    text = source.series_uid or "\n".join(source.digests) or hashlib.sha256(image.array.tobytes()).hexdigest()
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    part = next((match[1] for note in image.facts.notes if (match := _PART.fullmatch(note))), "")
    return f"{name}_{part}" if part else name


def _stored_values(image: Volume | Cine) -> tuple[Volume | Cine, tuple[float, float] | None]:
    """Whole numbers and the scaling that gives the values back, where the header's scaling was one for all slices."""
    parameters = dict(image.facts.parameters)
    slope, intercept = parameters.get("rescale_slope"), parameters.get("rescale_intercept")
    if image.array.dtype != np.float32 or not isinstance(slope, float) or not isinstance(intercept, float):
        return image, None
    stored = np.rint((image.array.astype(np.float64) - intercept) / slope)
    for dtype in (np.int16, np.uint16):
        info = np.iinfo(dtype)
        if info.min <= stored.min() and stored.max() <= info.max:
            whole = stored.astype(dtype)
            error = np.abs(whole * slope + intercept - image.array).max()
            if error <= 1e-3 * abs(slope):
                return replace(image, array=whole), (slope, intercept)
    return image, None
