"""Radiomic features from files to a table: image and mask in, one CSV (and a DICOM SR) out."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

import isocenter
from isocenter.app.image_files import open_image, open_regions, require_place, with_pixel_size
from isocenter.app.parameters import read_options
from isocenter.app.settings import load_settings
from isocenter.core.errors import InputError
from isocenter.core.feature import Feature
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask, Regions
from isocenter.core.provenance import Provenance
from isocenter.core.report import Report, StudyHeader
from isocenter.core.volume import Volume
from isocenter.imaging.features.radiomics import extract_features
from isocenter.imaging.features.radiomics_config import RadiomicsConfig, builtin_configs, parse_configs
from isocenter.io.atomic import atomic_write

# Voxels that a mask's corners may be off: headers round spacings to three decimals, which adds up over 500 voxels.
_SAME_VOXEL: Final = 0.25
COLUMNS: Final = ("tag", "name", "family", "ibsi_id", "aggregation", "value", "unit")


def open_region(
    image: Path, mask: Path, *, label: str | None = None, pixel_size_mm: float | None = None, roi: Sequence[str] = ()
) -> tuple[Volume, Mask]:
    """An image and the region on it.

    label           which of the mask's labels, or "all" for all as one region; may be left out where there is one
    roi             the same by the names that a DICOM mask gives its regions
    pixel_size_mm   of an image that states none

    Raises what `open_image` and `open_regions` raise; InputError for several labels without a choice, or no such label.
    """
    volume = with_pixel_size(open_image(image), pixel_size_mm)
    regions = open_regions(mask, volume, roi=roi)
    return volume, _turned(_chosen(regions, label), volume.grid)


def _turned(mask: Mask, grid: Grid) -> Mask:
    """The mask in the image's order of axes, where both hold the same voxels: a NIfTI mask of a DICOM series."""
    steps = np.linalg.inv(mask.grid.affine) @ grid.affine
    whole = np.rint(steps)
    corners = np.array([(*corner, 1) for corner in product(*((0, size - 1) for size in grid.shape))])
    there = (corners @ whole.T)[:, :3]
    is_same = (
        np.abs(corners @ (steps - whole).T).max() < _SAME_VOXEL
        and np.array_equal(np.abs(whole[:3, :3]).sum(axis=0), (1, 1, 1))
        and np.array_equal(there.min(axis=0), (0, 0, 0))
        and np.array_equal(there.max(axis=0), np.array(mask.grid.shape) - 1)
    )
    if not is_same:
        return mask
    axes = np.abs(whole[:3, :3]).argmax(axis=0)
    backwards = tuple(n for n in range(3) if whole[axes[n], n] < 0)
    return Mask(np.ascontiguousarray(np.flip(mask.array.transpose(axes), backwards)), grid)


def _chosen(labels: Regions, label: str | None) -> Mask:
    found = labels.labels
    listed = ", ".join(map(str, found[:20]))
    if not found:
        raise InputError("mask: expected voxels of a region, got an empty mask; check the file")
    if label is None:
        if len(found) > 1:
            raise InputError(f"mask: expected one label, got {listed}; choose one with --label N, or --label all")
        return labels.mask_of(found[0])
    if label == "all":
        return labels.any_mask
    if not label.isdecimal() or int(label) not in found:
        raise InputError(f"--label: expected one of {listed} or all, got {label!r}; choose another")
    return labels.mask_of(int(label))


def find_config(name: str, *, section: str | None = None) -> RadiomicsConfig:
    """A configuration by its name, or from a TOML file.

    name      of those that come with the package (`builtin_configs`), or a path that ends in .toml
    section   which configuration of a file that holds several

    Raises InputError for an unknown name, or a file without or with several configurations and no section.
    """
    builtin = builtin_configs()
    if name in builtin and section is None:
        return builtin[name]
    if not name.endswith(".toml"):
        short = ", ".join(each for each in builtin if not each.startswith("ibsi2-"))
        raise InputError(
            f"--config: expected one of {short}, ibsi2-1.A to ibsi2-11.B or a FILE.toml, got {name!r}; choose one"
        )
    configs = parse_configs(read_options([], Path(name)))
    if section is None and len(configs) == 1:
        return next(iter(configs.values()))
    if section not in configs:
        raise InputError(f"{name}: expected one configuration out of {', '.join(configs)}; choose it with --section")
    return configs[section]


def write_table(features: Sequence[Feature], out: Path) -> None:
    """Write features as CSV, one row each; a feature without a value has an empty one."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in features:
        value = "" if each.value is None else repr(each.value)
        writer.writerow((each.tag, each.name, each.family, each.ibsi_id, each.aggregation, value, each.unit))
    out = Path(out)
    require_place(out)
    atomic_write(out, text.getvalue().encode())


def require_dicom(volume: Volume) -> None:
    """Raise InputError unless a DICOM document can refer to the image: it comes from DICOM and states its UIDs."""
    source = volume.source
    if source.kind != "dicom" or not source.instances:
        raise InputError(f"--sr: expected an image from DICOM files, got {source.kind}; leave --sr out")
    stated = all(instance.sop_uid and instance.sop_class_uid for instance in source.instances)
    if not (stated and source.study_uid and source.series_uid):
        raise InputError("--sr: expected an image that states its DICOM UIDs, some are missing; leave --sr out")


def write_sr(
    features: Sequence[Feature], volume: Volume, mask: Mask, *, out: Path, parameters: Mapping[str, str]
) -> None:
    """Write features as a DICOM SR document of the image's study.

    parameters   what the document's algorithm says of itself: the configuration's name, its filter

    Raises InputError for an image that does not come from DICOM.
    """
    from isocenter.io.dicom_headers import read_headers
    from isocenter.io.dicom_parser import collected_warnings
    from isocenter.reporting.dicom_radiomics import build_feature_sr
    from isocenter.reporting.dicom_source import SourceSeries

    require_dicom(volume)
    source = volume.source
    header = StudyHeader(source.study_uid, "", volume.modality, volume.facts.body_part, "", "", "", None)
    provenance = Provenance(source.digests, f"isocenter {isocenter.__version__}", parameters=parameters)
    created = load_settings().now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with collected_warnings():
        document = build_feature_sr(
            features,
            mask,
            report=Report(header, provenance, created=created),
            series=SourceSeries(read_headers(volume), source.instances),
        )
        content = io.BytesIO()
        document.save_as(content, enforce_file_format=True)
    atomic_write(Path(out), content.getvalue())


def feature_files(image: Path, mask: Path, config: RadiomicsConfig, *, label: str | None = None) -> tuple[Feature, ...]:
    """The features of a mask's file on an image's file: for scripts that go over many pairs."""
    return extract_features(*open_region(image, mask, label=label), config)
