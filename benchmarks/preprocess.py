"""Pre-processing a 512 x 512 x 300 float volume: ours against the library that most people would call.

Ours and the peer's runs alternate; the figure is the median in seconds, the ratio is the peer's over ours.
`python benchmarks/preprocess.py` prints JSON; `--runs N` and `--slices N` shorten it.
"""

import argparse
import json

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume, Window
from isocenter.imaging.components import label_components
from isocenter.imaging.intensity import to_uint8
from isocenter.imaging.morphology import close_mask, distance_mm
from isocenter.imaging.spatial import resample_volume
from timing import Pair, Row, chest_hu, paired_rows

SPACING_MM = (1.0, 0.7, 0.7)


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


def run(n_runs: int = 3, n_slices: int = 300) -> list[Row]:
    """One row per operation."""
    array = chest_hu(n_slices)
    volume = Volume(array, Grid.of_spacing((n_slices, 512, 512), SPACING_MM), "HU", "CT")
    return paired_rows(pairs(volume), n_runs)


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slices", type=int, default=300)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.runs, arguments.slices), indent=2))


if __name__ == "__main__":
    main()
