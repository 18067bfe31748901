"""Reconstruction against scikit-image and BART, and each method against the plain one of its kind.

`python benchmarks/reconstruction.py` prints JSON: times in seconds (medians, ours and the peer's runs alternate; ratio
is the peer's over ours), PSNR and SSIM of the ladder on the Shepp-Logan head, a slice of the chest phantom and, where
ISOCENTER_DATA or ../shared/data lies, real slices of CT and MR. `--size N` and `--runs N` shorten it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.imaging.phantoms_projection import (
    Ellipse,
    coil_sensitivities,
    draw_ellipses,
    project_ellipses,
    shepp_logan,
)
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.methods import FROM_KSPACE, FROM_PROJECTIONS
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.operators_mri import to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan, ProjectionScan

Row = dict[str, str | float]
WATER_PER_MM = 0.0193
BART_WEIGHTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB; the peak is the truth's largest value."""
    return float(10 * np.log10(truth.max() ** 2 / np.mean((image - truth) ** 2)))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity as scikit-image computes it."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(truth, image.astype(truth.dtype), data_range=float(truth.max())))


def fbp_against_skimage(n_runs: int, size: int) -> list[Row]:
    """Filtered back-projection of 720 parallel views."""
    from skimage.transform import iradon

    angles = np.linspace(0, 180, 720, endpoint=False)
    geometry = ScanGeometry(angles, size, 1.0, (size, size), 1.0)
    head = shepp_logan(size / 2 - 2)
    truth = draw_ellipses(head, (size, size), pixel_mm=1.0)
    sinogram = project_ellipses(head, geometry).astype(np.float32)
    scan, turned = ProjectionScan(sinogram, geometry), as_skimage(head, angles, size)
    calls: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: FROM_PROJECTIONS["fbp"](scan),
        "peer": lambda: iradon(turned, angles, filter_name="ramp"),
    }
    images = {who: call() for who, call in calls.items()}
    took = _alternate(calls, n_runs)
    name = f"FBP {size} x {size}, 720 views (scikit-image)"
    disc = np.hypot(*np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]) < 0.95
    quality = {who: psnr(image[disc], truth[disc]) for who, image in images.items()}
    return [
        {"name": name, **_rounded(took, 4), "ratio": round(took["peer"] / took["ours"], 2), "unit": "s"},
        {"name": name, **_rounded(quality, 2), "ratio": round(quality["ours"] - quality["peer"], 2), "unit": "dB"},
    ]


def as_skimage(head: tuple[Ellipse, ...], angles: np.ndarray, size: int) -> np.ndarray:
    """The head's projections in scikit-image's frame, (bins, views): its origin is pixel and bin size // 2."""
    moved = tuple(replace(e, centre_mm=(e.centre_mm[0] - 0.5, e.centre_mm[1] + 0.5)) for e in head)
    one_more = ScanGeometry(angles, size + 1, 1.0, (size, size), 1.0)
    return np.ascontiguousarray(project_ellipses(moved, one_more)[:, :size].T, np.float32)


def _alternate(calls: dict[str, Callable[[], np.ndarray]], n_runs: int) -> dict[str, float]:
    took: dict[str, list[float]] = {who: [] for who in calls}
    for _ in range(n_runs):
        for who, call in calls.items():
            start = time.perf_counter()
            call()
            took[who].append(time.perf_counter() - start)
    return {who: statistics.median(times) for who, times in took.items()}


def _rounded(values: dict[str, float], digits: int) -> Row:
    return {who: round(value, digits) for who, value in values.items()}


def truths(size: int) -> dict[str, np.ndarray]:
    """Images of 0 to 1: the head, a slice of the chest phantom, real slices where they lie."""
    from isocenter.imaging.phantoms import chest_phantom

    found = {"head": draw_ellipses(shepp_logan(size / 2 - 4), (size, size), pixel_mm=1.0)}
    chest = chest_phantom(np.random.default_rng(5), shape=(12, size, size), spacing_mm=(20.0, 320 / size, 320 / size))
    found["chest phantom"] = np.clip(chest.volume.array[6] / 1000 + 1, 0, 2).astype(np.float32) / 2
    folder = Path(os.environ.get("ISOCENTER_DATA", Path(__file__).parents[2] / "shared" / "data"))
    for name, file in (("CT slice", "example_ct.nii.gz"), ("MR slice", "example_mr_sm.nii.gz")):
        path = folder / "ct_mr_organ_masks_small" / file
        if path.is_file():
            found[name] = real_slice(path, size)
    return found


def real_slice(path: Path, size: int) -> np.ndarray:
    """The middle slice of a volume, 0 to 1, fitted into a disc of the square."""
    import cv2

    from isocenter.io.load import load

    array = load(path).array
    middle = array[len(array) // 2].astype(np.float32)
    low, high = (-1000.0, 1000.0) if "_ct" in path.name else (0.0, float(np.percentile(middle, 99.5)))
    values = np.clip((middle - low) / (high - low), 0, 1)
    scale = 0.7 * size / max(values.shape)
    small = cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    out = np.zeros((size, size), np.float32)
    top, left = ((size - n) // 2 for n in small.shape)
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def ct_scan(truth: np.ndarray, n_views: int, rng: np.random.Generator, noise: float) -> ProjectionScan:
    """Line integrals of the truth drawn twice as fine, so that the model that inverts them is not the one that made
    them; noise relative to the largest."""
    fine = np.kron(truth, np.ones((2, 2), np.float32)) * np.float32(WATER_PER_MM * 2)
    n_bins = int(1.42 * len(truth)) | 1
    angles = np.linspace(0, 180, n_views, endpoint=False)
    made = Projection(ScanGeometry(angles, n_bins, 1.0, fine.shape, 0.5)).forward(fine)
    sinogram = made + noise * made.max() * rng.standard_normal(made.shape)
    return ProjectionScan(sinogram, ScanGeometry(angles, n_bins, 1.0, truth.shape, 1.0))


def ladder(size: int) -> list[Row]:
    """PSNR, SSIM and time of every method on every image, with BART where it is installed."""
    rows: list[Row] = []
    for name, truth in truths(size).items():
        rng = np.random.default_rng(7)
        attenuation = truth * WATER_PER_MM * 2
        for method in ("fbp", "gridding", "sirt", "sart", "cgls", "tv", "wavelet"):
            scan = ct_scan(truth, 40, np.random.default_rng(7), 0.01)
            rows.append(_step(f"{name}, 40 views", method, FROM_PROJECTIONS, scan, attenuation))
        clean = ct_scan(truth, 90, rng, 0.0)
        scale = 2e5 / clean.sinogram.sum()
        counts = rng.poisson(np.maximum(clean.sinogram, 0) * scale).astype(float)
        for method in ("fbp", "mlem", "osem"):
            scan = ProjectionScan(counts, clean.geometry)
            rows.append(_step(f"{name}, 2e5 counts", method, FROM_PROJECTIONS, scan, attenuation * scale))
        scan = mr_scan(truth, rng)
        rows += [_step(f"{name}, 3 x 8 coils", method, FROM_KSPACE, scan, truth) for method in FROM_KSPACE]
        rows += bart_rows(f"{name}, 3 x 8 coils", scan, truth)
    return rows


def mr_scan(truth: np.ndarray, rng: np.random.Generator) -> KspaceScan:
    """Every third row and 24 in the centre, eight coils that the method has to find out, noise of 1 % of the peak."""
    coils = coil_sensitivities(8, truth.shape)
    kspace = to_kspace(truth * coils)
    kspace = kspace + 0.01 * (rng.standard_normal(kspace.shape) + 1j * rng.standard_normal(kspace.shape)) / 2**0.5
    mask = np.zeros(truth.shape, bool)
    mask[::3] = True
    mask[len(truth) // 2 - 12 : len(truth) // 2 + 12] = True
    return KspaceScan(kspace * mask, mask)


def _step(name: str, method: str, table: object, scan: object, truth: np.ndarray) -> Row:
    table[method](scan)  # compiled and warm
    start = time.perf_counter()
    image = table[method](scan)
    took = time.perf_counter() - start
    return {
        "name": f"{name}: {method}", "ours": round(psnr(image, truth), 2), "peer": "", "ratio": "", "unit": "dB",
        "ssim": round(ssim(image, truth), 3), "seconds": round(took, 2),
    }  # fmt: skip


def bart_rows(name: str, scan: KspaceScan, truth: np.ndarray) -> list[Row]:
    """BART's ESPIRiT with Tikhonov and with wavelets on the same samples, the truth choosing among its weights; nothing
    where it is not installed."""
    if shutil.which("bart") is None:
        return []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_cfl(place / "k", np.moveaxis(scan.kspace, 0, -1)[:, :, None, :])
        for method, options in (("l2", "-l2"), ("wavelet", "-l1")):
            tried = [_bart(place, f"{options} -r {weight}") for weight in BART_WEIGHTS]
            image, took = max(tried, key=lambda one: psnr(one[0], truth))
            rows.append(
                {"name": f"{name}: BART pics {method}", "ours": "", "peer": round(psnr(image, truth), 2), "ratio": "",
                 "unit": "dB", "ssim": round(ssim(image, truth), 3), "seconds": round(took, 2)}
            )  # fmt: skip
    return rows


def _bart(place: Path, options: str) -> tuple[np.ndarray, float]:
    """The magnitude image of the k-space in the folder, and the seconds that its maps and itself took."""
    start = time.perf_counter()
    for words in ("ecalib -m1 k s", f"pics -S {options} k s x"):
        subprocess.run(["bart", *words.split()], cwd=place, check=True, capture_output=True)
    took = time.perf_counter() - start
    return np.abs(read_cfl(place / "x").squeeze()), took


def write_cfl(path: Path, array: np.ndarray) -> None:
    """An array in BART's form: sizes in a text header, complex64 in Fortran order beside it."""
    sizes = [*array.shape, *([1] * (16 - array.ndim))]
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, sizes)) + "\n", encoding="ascii")
    path.with_suffix(".cfl").write_bytes(array.astype(np.complex64).tobytes(order="F"))


def read_cfl(path: Path) -> np.ndarray:
    """The array of a file in BART's form."""
    sizes = [int(n) for n in path.with_suffix(".hdr").read_text(encoding="ascii").splitlines()[1].split()]
    flat = np.frombuffer(path.with_suffix(".cfl").read_bytes(), np.complex64)
    return flat.reshape(sizes, order="F")


def run(n_runs: int = 3, size: int = 192) -> list[Row]:
    """The speed comparison first, then the ladder."""
    return fbp_against_skimage(n_runs, 512) + ladder(size)


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=192)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.runs, arguments.size), indent=2))


if __name__ == "__main__":
    main()
