"""Every exotic, damaged and hostile file, and every series, has the outcome that the tables beside this test list."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from isocenter.io.dicom import read_dicom_studies
from isocenter.io.dicom_decode import decode_frame, native_frame, read_layout, split_fragments
from isocenter.io.dicom_scan import NATIVE, scan_file
from isocenter.io.inputs import InputFile, open_inputs

pytestmark = pytest.mark.data
HERE = Path(__file__).parent
LOSSLESS = {"1", "2", "5", "57", "70", "80", "90", "201", "202"}


def table(name):
    with (HERE / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def outcome_of(path):
    """(what it became, first reason) of one file or folder, as the tables write it."""
    with open_inputs([path]) as inputs:
        failures = list(inputs.failures)
        found = []
        for study in read_dicom_studies([file for file in inputs.files if file.kind == "dicom"], failures):
            for image in study.volumes:
                size = "x".join(str(n) for n in image.array.shape)
                found.append(f"{type(image).__name__.lower()} {size} {image.array.dtype}")
            found += [f"attachment {one.modality}" for one in study.attachments]
    assert all("\n" not in failure.problem and failure.problem for failure in failures)
    return "; ".join(found) or "refused", failures[0].problem if failures else ""


def test_the_table_lists_every_file(data_dir):
    with (data_dir / "dicom_exotic" / "manifest.csv").open() as stream:
        names = {row["file"] for row in csv.DictReader(stream)}
    assert {row["file"] for row in table("dicom_exotic_outcomes.csv")} == names


@pytest.mark.parametrize("row", table("dicom_exotic_outcomes.csv"), ids=lambda row: row["file"])
def test_each_file_is_read_or_refused_with_a_reason(data_dir, row):
    outcome, reason = outcome_of(data_dir / "dicom_exotic" / row["file"])
    assert outcome == row["outcome"]
    assert reason.startswith(row["reason"]) and bool(reason) == bool(row["reason"])


@pytest.mark.parametrize("row", table("dicom_series_outcomes.csv"), ids=lambda row: row["folder"])
def test_each_series_is_read_or_refused_with_a_reason(data_dir, row):
    outcome, reason = outcome_of(data_dir / "dicom_series" / row["folder"])
    assert (outcome, reason) == (row["outcome"], row["reason"])


@pytest.mark.parametrize("folder", ["dicom_exotic", "dicom_series"])
def test_lossless_pixels_have_the_hash_that_pydicom_found(data_dir, folder):
    """The manifest's hash is of pydicom's array; deep colour and lossy codecs are left to other tests."""
    compared = 0
    with (data_dir / folder / "manifest.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["pydicom_decode"] == "ok"]
    for row in rows:
        path = data_dir / folder / row["file"]
        syntax = row["transfer_syntax"].rsplit(".", 1)[-1]
        if row["modality"] in ("SEG", "RTDOSE") or syntax not in LOSSLESS or "len_4g" in row["file"]:
            continue
        header = scan_file(InputFile(path, path, "dicom"))
        layout = read_layout(header)
        if (
            header.pixels.offset < 0
            or row["transfer_syntax"].endswith("1.2.2")
            or layout.samples * layout.bits_stored > 24
        ):
            continue
        data = memoryview(path.read_bytes())[header.pixels.offset :]
        if header.syntax in NATIVE:
            frames = [native_frame(layout, data, index) for index in range(layout.frames)]
        else:
            frames = [decode_frame(layout, part) for part in split_fragments(data, layout.frames)]
        array = np.stack(frames) if layout.frames > 1 else frames[0]
        digest = hashlib.sha1(np.ascontiguousarray(array).tobytes(), usedforsecurity=False).hexdigest()[:12]
        assert digest == row["pixel_sha1"], row["file"]
        compared += 1
    assert compared >= {"dicom_exotic": 75, "dicom_series": 200}[folder]
