"""Denoising with nothing said but the image: gain in decibels over the noisy image, ours against scikit-image's best.

Phantoms and real slices get Gaussian, Poisson, Rician and speckle noise at two levels each. The peer's figure is the
best of its defaults for that very image: total variation (Chambolle), non-local means as it is and with the estimated
deviation as its manual advises, bilateral, and wavelets where PyWavelets is installed. Ours takes its defaults too.

`python benchmarks/denoising.py` prints JSON rows for BM3D; `--table` prints the whole table (every denoiser x noise x
modality, PSNR and SSIM gain) as Markdown; `--data DIR` says where the real sets are.
"""

import argparse
import json
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.evaluation.image_quality import psnr, ssim
from isocenter.imaging import denoise

LEVELS = {"gaussian": (0.04, 0.12), "poisson": (0.005, 0.04), "rician": (0.04, 0.12), "speckle": (0.1, 0.3)}
OURS: dict[str, Callable[..., Volume]] = {
    "bm3d": denoise.bm3d, "nlm": denoise.nlm, "wavelet": denoise.wavelet, "tv": denoise.tv,
    "anisotropic": denoise.anisotropic, "bilateral": denoise.bilateral,
}  # fmt: skip
# Modality -> pattern below the data folder; slices are taken evenly from what it matches.
REAL = {
    "MR": "brain_tumor_mri_4class/notumor/*.jpg",
    "CT": "head_ct_hemorrhage/images/*.png",
    "X-ray": "nih_cxr_pneumonia_vs_nofinding/images/*.jpg",
    "ultrasound": "busi_breast_us/benign/*.jpg",
    "blood film": "bccd_blood_cells_detection/images/*.jpg",
}
SIDE = 192


def phantom() -> np.ndarray:
    """Shepp and Logan's head, 0 to 1."""
    from skimage.data import shepp_logan_phantom
    from skimage.transform import resize

    return np.asarray(resize(shepp_logan_phantom(), (SIDE, SIDE), anti_aliasing=True))


def images(data: Path, per_set: int) -> Iterator[tuple[str, np.ndarray]]:
    """Modality and a clean picture, 0 to 1."""
    yield "phantom", phantom()
    for modality, pattern in REAL.items():
        found = sorted(data.glob(pattern))
        for n in np.linspace(0, len(found) - 1, per_set + 2).round().astype(int)[1:-1] if found else []:
            picture = cv2.imread(str(found[n]), cv2.IMREAD_GRAYSCALE).astype(np.float64) / 255
            j, i = ((size - min(size, SIDE)) // 2 for size in picture.shape)
            yield modality, picture[j : j + SIDE, i : i + SIDE]


def add_noise(clean: np.ndarray, kind: str, level: float, rng: np.random.Generator) -> np.ndarray:
    """The picture with noise of a kind; `level` as isocenter.imaging.noise states it."""
    if kind == "gaussian":
        return clean + rng.normal(0, level, clean.shape)
    if kind == "poisson":
        return rng.poisson(clean / level) * level
    if kind == "rician":
        return np.hypot(clean + rng.normal(0, level, clean.shape), rng.normal(0, level, clean.shape))
    return clean * (1 + rng.normal(0, level, clean.shape))


def by_scikit_image(noisy: np.ndarray) -> dict[str, np.ndarray]:
    """The peer's denoisers by their defaults."""
    from skimage import restoration

    done = {
        "tv": restoration.denoise_tv_chambolle(noisy),
        "nl_means": restoration.denoise_nl_means(noisy),
        "bilateral": restoration.denoise_bilateral(np.maximum(noisy, 0)),
    }
    try:
        sigma = float(restoration.estimate_sigma(noisy))
        done["wavelet"] = restoration.denoise_wavelet(noisy)
    except ImportError:  # PyWavelets is not among what the tests install
        sigma = float(np.median(np.abs(np.diff(noisy, axis=1))) / 0.6745 / np.sqrt(2))
    done["nl_means, estimated sigma"] = restoration.denoise_nl_means(
        noisy, sigma=sigma, h=0.8 * sigma, patch_size=5, patch_distance=6
    )
    return done


def measure(data: Path, per_set: int, methods: dict[str, Callable[..., Volume]]) -> list[dict[str, object]]:
    """One record per picture, noise and denoiser: PSNR and SSIM of the noisy one, ours and the peer's best."""
    rng = np.random.default_rng(0)
    records: list[dict[str, object]] = []
    for modality, clean in images(data, per_set):
        for kind, levels in LEVELS.items():
            for level in levels:
                noisy = add_noise(clean, kind, level, rng)
                peers = by_scikit_image(noisy).values()
                best = {
                    "psnr": max(_psnr(clean, each) for each in peers),
                    "ssim": max(_ssim(clean, each) for each in peers),
                }
                volume = Volume(noisy[None], Grid.of_pixels((1, *noisy.shape)))
                for name, method in methods.items():
                    found = method(volume).array[0].astype(np.float64)
                    records.append(
                        {"modality": modality, "noise": kind, "level": level, "method": name,
                         "noisy": (_psnr(clean, noisy), _ssim(clean, noisy)),
                         "ours": (_psnr(clean, found), _ssim(clean, found)), "peer": (best["psnr"], best["ssim"])}
                    )  # fmt: skip
    return records


def _psnr(clean: np.ndarray, found: np.ndarray) -> float:
    return psnr(clean, found, data_range=1.0)


def _ssim(clean: np.ndarray, found: np.ndarray) -> float:
    return ssim(clean, found, data_range=1.0)


def rows(records: list[dict[str, object]]) -> list[dict[str, object]]:
    """BM3D's mean gain in dB per noise and per modality, beside the best default's; the ratio is their difference."""
    made = []
    for key in ("noise", "modality"):
        for value in dict.fromkeys(record[key] for record in records):
            chosen = [record for record in records if record[key] == value and record["method"] == "bm3d"]
            ours, peer = (
                float(np.mean([each[who][0] - each["noisy"][0] for each in chosen])) for who in ("ours", "peer")
            )
            made.append(
                {"name": f"gain of PSNR, {value} (best scikit-image default; ratio = dB more)", "ours": round(ours, 2),
                 "peer": round(peer, 2), "ratio": round(ours - peer, 2), "unit": "dB"}
            )  # fmt: skip
    worst = min(float(each["ours"][0] - each["peer"][0]) for each in records if each["method"] == "bm3d")
    made.append({"name": "worst single picture (dB more than the best default)", "ours": round(worst, 2), "peer": 0.0,
                 "ratio": round(worst, 2), "unit": "dB"})  # fmt: skip
    return made


def table(records: list[dict[str, object]]) -> str:
    """Gain of PSNR in dB and of SSIM per denoiser, noise and modality, Markdown."""
    methods = list(dict.fromkeys(record["method"] for record in records))
    lines = ["| noise | modality | " + " | ".join([*methods, "scikit-image's best"]) + " |"]
    lines.append("| --- " * (len(methods) + 3) + "|")
    for kind in LEVELS:
        for modality in dict.fromkeys(record["modality"] for record in records):
            cells = []
            for method in [*methods, None]:
                chosen = [each for each in records if each["noise"] == kind and each["modality"] == modality
                          and each["method"] == (method or methods[0])]  # fmt: skip
                who = "ours" if method else "peer"
                gains = np.mean([np.subtract(each[who], each["noisy"]) for each in chosen], axis=0)
                cells.append(f"{gains[0]:+.1f} dB {gains[1]:+.2f}")
            lines.append(f"| {kind} | {modality} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print rows as JSON, or the table."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("ISOCENTER_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--pictures", type=int, default=2, help="per real set")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    methods = OURS if arguments.table else {"bm3d": OURS["bm3d"]}
    records = measure(arguments.data, arguments.pictures, methods)
    print(table(records) if arguments.table else json.dumps(rows(records), indent=2))


if __name__ == "__main__":
    main()
