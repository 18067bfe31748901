"""Loading a 300-slice 512 x 512 CT series to a float volume, raw and JPEG-LS, against SimpleITK's reader.

Both run in fresh processes, interleaved, imports not counted; the figure is the median.
`python benchmarks/load_ct.py` prints JSON; `--runs N` and `--slices N` shorten it.
"""

import argparse
import json
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SYNTAXES = {"raw": "1.2.840.10008.1.2.1", "jpeg-ls": "1.2.840.10008.1.2.4.80"}


def chest_slice(index: int, n_slices: int, rng: np.random.Generator) -> np.ndarray:
    """A noisy body with two lungs, stored values of 12 bits, (512, 512) int16."""
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    hounsfield = np.full((512, 512), -1000.0, np.float32)
    size = 0.85 + 0.1 * np.sin(3 * index / n_slices)
    hounsfield[(x / size) ** 2 + (y / (0.7 * size)) ** 2 < 1] = 40
    for centre in (-0.4, 0.4):
        hounsfield[((x - centre) / 0.28) ** 2 + ((y + 0.05) / 0.38) ** 2 < 1] = -850
    hounsfield[(x / 0.1) ** 2 + ((y - 0.42) / 0.1) ** 2 < 1] = 400
    return np.clip(hounsfield + rng.normal(0, 12, hounsfield.shape) + 1024, 0, 4095).astype(np.int16)


def write_series(folder: Path, syntax: str, n_slices: int) -> None:
    """One CT series, a file per slice, deterministic."""
    import imagecodecs
    from pydicom.data import get_testdata_file
    from pydicom.filereader import dcmread

    template = dcmread(get_testdata_file("CT_small.dcm"))
    for name in ("PixelPaddingValue", "SmallestImagePixelValue", "LargestImagePixelValue", "DataSetTrailingPadding"):
        if name in template:
            delattr(template, name)
    template.Rows = template.Columns = 512
    template.PixelSpacing, template.SliceThickness = [0.7, 0.7], 1.0
    template.RescaleIntercept, template.RescaleSlope = -1024, 1
    template.BitsAllocated, template.BitsStored, template.HighBit = 16, 16, 15
    template.PixelRepresentation = 1
    template.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for index in range(n_slices):
        pixels = chest_slice(index, n_slices, rng)
        template.InstanceNumber = index + 1
        template.SOPInstanceUID = template.file_meta.MediaStorageSOPInstanceUID = f"2.25.{1000 + index}"
        template.ImagePositionPatient = [-179.2, -179.2, float(index)]
        template.SliceLocation = float(index)
        if syntax == "raw":
            template.PixelData = pixels.tobytes()
            template["PixelData"].VR = "OW"
        else:
            encoded = imagecodecs.jpegls_encode(pixels.view(np.uint16))
            encoded += b"\0" * (len(encoded) % 2)
            item = b"\xfe\xff\x00\xe0"
            template.PixelData = item + struct.pack("<I", 0) + item + struct.pack("<I", len(encoded)) + encoded
            template["PixelData"].VR = "OB"
            template["PixelData"].is_undefined_length = True
        template.save_as(folder / f"{index:04d}.dcm", enforce_file_format=True)


def _load_ours(folder: Path) -> np.ndarray:
    from isocenter.io.dicom import read_series

    paths = sorted(folder.iterdir())
    (volume,) = read_series(paths, dtype=np.float32)
    return volume.array


def _load_peer(folder: Path) -> np.ndarray:
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    reader.SetOutputPixelType(SimpleITK.sitkFloat32)
    return SimpleITK.GetArrayFromImage(reader.Execute())


def _measure(who: str, folder: Path) -> dict[str, float]:
    """In a fresh process: seconds, peak memory, and the mean that both must agree on."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import load_ct; load_ct._child()"
    result = subprocess.run([sys.executable, "-c", code, who, str(folder)], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def _child() -> None:
    import imagecodecs

    del imagecodecs
    who, folder = sys.argv[1], Path(sys.argv[2])
    if who == "ours":
        import isocenter.io.dicom
        import isocenter.io.dicom_pixels

        del isocenter
    else:
        import SimpleITK

        del SimpleITK
    started = time.perf_counter()
    array = (_load_ours if who == "ours" else _load_peer)(folder)
    seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"s": seconds, "mb": peak_mb, "mean": float(array.mean(dtype=np.float64))}))


def run(runs: int = 5, n_slices: int = 300) -> list[dict[str, Any]]:
    """Seconds and peak memory of both, and the ratios."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for syntax in SYNTAXES:
            folder = Path(scratch) / syntax
            write_series(folder, syntax, n_slices)
            found: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
            for _ in range(runs):
                for who, results in found.items():
                    results.append(_measure(who, folder))
            means = {round(result["mean"], 3) for results in found.values() for result in results}
            if len(means) != 1:
                raise SystemExit(f"{syntax}: the volumes differ, means {sorted(means)}")
            for key, name in (("s", "load"), ("mb", "peak memory")):
                ours, peer = (statistics.median(result[key] for result in found[who]) for who in ("ours", "peer"))
                rows.append(
                    {
                        "name": f"{name} of a {n_slices}-slice CT series, {syntax}",
                        "ours": round(ours, 4),
                        "peer": round(peer, 4),
                        "ratio": round(peer / ours, 2),
                        "unit": {"s": "s", "mb": "MB"}[key],
                    }
                )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slices", type=int, default=300)
    options = parser.parse_args()
    print(json.dumps(run(options.runs, options.slices), indent=2))
