"""Enhancing a 512 x 512 x 300 volume: ours against the library that most people would call.

Ours and the peer's runs alternate; the figure is the median in seconds, the ratio is the peer's over ours.
`python benchmarks/filters.py` prints JSON; `--runs N` and `--slices N` shorten it. The picture rows are 512 x 512.
"""

import argparse
import json

import numpy as np

from isocenter.imaging.contrast import clahe
from isocenter.imaging.denoise_neighbours import denoise_nlm
from isocenter.imaging.inpaint import inpaint_biharmonic
from isocenter.imaging.smooth import smooth_gaussian, smooth_mean, smooth_median
from timing import Pair, Row, chest_hu, paired_rows

SPACING_MM = (1.0, 0.7, 0.7)


def pairs(array: np.ndarray) -> dict[str, Pair]:
    """Name -> ours, the peer's name, the peer's call."""
    import SimpleITK as sitk  # noqa: N813
    from scipy import ndimage
    from skimage import exposure, restoration

    image, whole = sitk.GetImageFromArray(array), array.astype(np.int16)
    whole_image = sitk.GetImageFromArray(whole)
    sigmas = 1 / np.array(SPACING_MM)
    picture = array[len(array) // 2]
    unit = (picture - picture.min()) / np.ptp(picture)
    hole = np.zeros(picture.shape, np.bool_)
    hole[100:110, 100:400] = hole[300:330, 200:230] = True
    return {
        "median 3 x 3 x 3, float32": (
            lambda: smooth_median(array), "SimpleITK", lambda: sitk.GetArrayFromImage(sitk.Median(image, (1, 1, 1)))
        ),
        "median 3 x 3 x 3, int16": (
            lambda: smooth_median(whole),
            "SimpleITK",
            lambda: sitk.GetArrayFromImage(sitk.Median(whole_image, (1, 1, 1))),
        ),
        "gaussian, sigma 1 mm": (
            lambda: smooth_gaussian(array, sigma_mm=1, spacing_mm=SPACING_MM),
            "scipy.ndimage",
            lambda: ndimage.gaussian_filter(array, sigmas, mode="nearest"),
        ),
        "mean 3 x 3 x 3": (
            lambda: smooth_mean(array), "scipy.ndimage", lambda: ndimage.uniform_filter(array, 3, mode="nearest")
        ),
        "CLAHE of a picture": (
            lambda: clahe(picture[None]), "scikit-image", lambda: exposure.equalize_adapthist(unit, clip_limit=0.01)
        ),
        "non-local means of a picture": (
            lambda: denoise_nlm(picture[None], sigma=60.0),
            "scikit-image",
            lambda: restoration.denoise_nl_means(picture, sigma=60.0, h=48.0, patch_size=5, patch_distance=10),
        ),
        "biharmonic inpainting of a picture": (
            lambda: inpaint_biharmonic(picture[None], hole[None]),
            "scikit-image",
            lambda: restoration.inpaint_biharmonic(picture, hole),
        ),
    }  # fmt: skip


def run(n_runs: int = 3, n_slices: int = 300) -> list[Row]:
    """One row per operation."""
    return paired_rows(pairs(chest_hu(n_slices)), n_runs)


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slices", type=int, default=300)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.runs, arguments.slices), indent=2))


if __name__ == "__main__":
    main()
