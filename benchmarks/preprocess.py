"""Pre-processing a 512 x 512 x 300 float volume: ours against the library that most people would call.

Ours and the peer's runs alternate; the figure is the median in seconds, the ratio is the peer's over ours.
`python benchmarks/preprocess.py` prints JSON; `--runs N` and `--slices N` shorten it.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume, Window
from isocenter.imaging.components import label_components
from isocenter.imaging.intensity import to_uint8
from isocenter.imaging.morphology import close_mask, distance_mm
from isocenter.imaging.smooth import smooth_gaussian, smooth_median
from isocenter.imaging.spatial import resample_volume

SPACING_MM = (1.0, 0.7, 0.7)
Pair = tuple[Callable[[], object], str, Callable[[], object]]


def chest(n_slices: int) -> Volume:
    """Air, body, lungs and noise in HU, float32."""
    z, y, x = np.ogrid[-1 : 1 : n_slices * 1j, -1:1:512j, -1:1:512j]
    body = ((x / 0.9) ** 2 + (y / 0.65) ** 2 < 1) & (z > -2)
    lungs = ((np.abs(x) - 0.4) / 0.28) ** 2 + (y / 0.4) ** 2 + (z / 0.9) ** 2 < 1
    array = np.where(lungs, -850, np.where(body, 40, -1000)).astype(np.float32)
    array += np.random.default_rng(0).normal(0, 60, array.shape).astype(np.float32)
    return Volume(array, Grid.of_spacing(array.shape, SPACING_MM), "HU", "CT")


def pairs(volume: Volume) -> dict[str, Pair]:
    """Name -> ours, the peer's name, the peer's call."""
    import scipy.ndimage as ndimage
    import SimpleITK as sitk  # noqa: N813

    array = volume.array
    mask = array > -300
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING_MM[::-1])
    binary = sitk.GetImageFromArray(mask.astype(np.uint8))
    binary.SetSpacing(SPACING_MM[::-1])

    def resample_by_simpleitk() -> np.ndarray:
        size = (359, 359, array.shape[0])
        moved = sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, (0.15, 0.15, 0.0), (1.0, 1.0, 1.0))
        return sitk.GetArrayFromImage(moved)

    ball = np.sum(np.square(np.mgrid[-2:3, -2:3, -2:3] * np.reshape(SPACING_MM, (3, 1, 1, 1))), axis=0) <= 1.5**2
    return {
        "resample to 1 mm, linear": (lambda: resample_volume(volume, (1, 1, 1)), "SimpleITK", resample_by_simpleitk),
        "gaussian, sigma 1 mm": (
            lambda: smooth_gaussian(array, sigma_mm=1, spacing_mm=SPACING_MM),
            "scipy.ndimage",
            lambda: ndimage.gaussian_filter(array, 1 / np.array(SPACING_MM), mode="nearest"),
        ),
        "median 3 x 3 x 3": (lambda: smooth_median(array), "scipy.ndimage", lambda: ndimage.median_filter(array, 3)),
        "components, 26 neighbours": (
            lambda: label_components(mask),
            "scipy.ndimage",
            lambda: ndimage.label(mask, np.ones((3, 3, 3))),
        ),
        "distance in mm": (
            lambda: distance_mm(mask, spacing_mm=SPACING_MM),
            "SimpleITK",
            lambda: sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(binary, False, False, True)),
        ),
        "closing with a ball of 1.5 mm": (
            lambda: close_mask(mask, radius_mm=1.5, spacing_mm=SPACING_MM),
            "scipy.ndimage",
            lambda: ndimage.binary_closing(mask, ball),
        ),
        "window to 8 bits": (
            lambda: to_uint8(array, Window(-600, 1500)),
            "SimpleITK",
            lambda: sitk.GetArrayFromImage(
                sitk.Cast(sitk.IntensityWindowing(image, -1350, 150, 0, 255), sitk.sitkUInt8)
            ),
        ),
    }


def run(n_runs: int = 3, n_slices: int = 300) -> list[dict[str, str | float]]:
    """One row per operation."""
    rows: list[dict[str, str | float]] = []
    for name, (ours, peer_name, peer) in pairs(chest(n_slices)).items():
        took: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(n_runs):
            for who, call in (("ours", ours), ("peer", peer)):
                start = time.perf_counter()
                call()
                took[who].append(time.perf_counter() - start)
        ours_s, peer_s = statistics.median(took["ours"]), statistics.median(took["peer"])
        rows.append(
            {"name": f"{name} ({peer_name})", "ours": round(ours_s, 3), "peer": round(peer_s, 3),
             "ratio": round(peer_s / ours_s, 2), "unit": "s"}
        )  # fmt: skip
    return rows


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slices", type=int, default=300)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.runs, arguments.slices), indent=2))


if __name__ == "__main__":
    main()
