"""How far off sizes are: ours against the libraries that most people would call, on ellipsoids with known truth.

Each figure is the mean absolute error over random ellipsoids, smaller is better; the ratio is the peer's over ours.
SUV is compared with the NIfTI twin that the IBSI prepared of the same DICOM series, where the data are there.
`python benchmarks/measure.py` prints JSON; `--bodies N` shortens it.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.evaluation.image_quality import ssim
from isocenter.imaging.features.caliper import calipers
from isocenter.imaging.features.shape import surface_mm2
from isocenter.imaging.pet import to_suv
from isocenter.io.load import load

DATA = Path(os.environ.get("ISOCENTER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
Row = dict[str, str | float]


def ellipsoid(rng: np.random.Generator) -> tuple[Mask, np.ndarray]:
    """An ellipsoid between the voxels of a grid with slices of one to three pixels; its semi-axes in mm."""
    spacing = np.array([rng.uniform(1, 3), 1, 1]) * rng.uniform(0.6, 2)
    semi = rng.uniform(3, 12, 3) * spacing[1]
    semi[0] = max(semi[0], 2 * spacing[0])
    size = (np.ceil(semi / spacing) * 2 + 5).astype(int)
    centre = (size - 1) / 2 * spacing + rng.uniform(-0.5, 0.5, 3) * spacing
    places = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1) * spacing - centre
    inside = ((places / semi) ** 2).sum(axis=-1) <= 1
    return Mask(inside, Grid.of_spacing(inside.shape, tuple(spacing))), semi


def surface_of(semi: np.ndarray) -> float:
    """Surface of an ellipsoid, by integration over latitude and longitude."""
    u, v = np.meshgrid((np.arange(300) + 0.5) / 300 * np.pi, (np.arange(300) + 0.5) / 300 * 2 * np.pi)
    a, b, c = semi
    rim = (b * c * np.sin(u) * np.cos(v)) ** 2 + (a * c * np.sin(u) * np.sin(v)) ** 2 + (a * b * np.cos(u)) ** 2
    return float((np.sin(u) * np.sqrt(rim)).sum() * np.pi / 300 * 2 * np.pi / 300)


def sizes(n_bodies: int) -> list[Row]:
    """Longest caliper in voxels, surface in percent."""
    import SimpleITK as sitk  # noqa: N813
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops

    rng = np.random.default_rng(21)
    errors: dict[str, list[float]] = {name: [] for name in ("feret", "feret-sitk", "feret-sk", "area", "area-sk")}
    for _ in range(n_bodies):
        mask, semi = ellipsoid(rng)
        spacing = tuple(float(step) for step in mask.grid.spacing_mm)
        longest, step = 2 * float(semi.max()), spacing[int(semi.argmax())]
        image = sitk.GetImageFromArray(mask.array.astype(np.uint8))
        image.SetSpacing(spacing[::-1])
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.ComputeFeretDiameterOn()
        shape.Execute(image)
        props = regionprops(mask.array.astype(np.uint8), spacing=spacing)[0]
        errors["feret"].append((calipers(mask).longest_mm - longest) / step)
        errors["feret-sitk"].append((shape.GetFeretDiameter(1) - longest) / step)
        errors["feret-sk"].append((props.feret_diameter_max - longest) / step)
        truth = surface_of(semi)
        corners, faces, *_ = marching_cubes(np.pad(mask.array, 1).astype(float), 0.5, spacing=spacing)
        errors["area"].append((surface_mm2(mask) / truth - 1) * 100)
        errors["area-sk"].append((mesh_surface_area(corners, faces) / truth - 1) * 100)
    mean = {name: float(np.abs(each).mean()) for name, each in errors.items()}
    return [
        row("longest caliper, mean error (SimpleITK)", mean["feret"], mean["feret-sitk"], "voxels"),
        row("longest caliper, mean error (scikit-image)", mean["feret"], mean["feret-sk"], "voxels"),
        row("surface of a mask, mean error (scikit-image marching cubes)", mean["area"], mean["area-sk"], "%"),
    ]


def agreement() -> list[Row]:
    """The largest difference of SSIM from scikit-image, and of SUV from its twin; the bar takes the peer's place."""
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    worst = 0.0
    for shape in ((128, 128), (32, 48, 40)):
        a = rng.random(shape)
        b = a + rng.normal(0, 0.1, shape)
        theirs = structural_similarity(
            a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        worst = max(worst, abs(ssim(a, b, data_range=1.0) - theirs))
    rows = [row("SSIM, difference from scikit-image (bar: 1e-7)", worst, 1e-7, "1")]
    series = DATA / "dicom_series" / "sts_STS_008_PET"
    if series.is_dir():
        suv = to_suv(load(series)).array
        folder = DATA / "sts_ct_pet_mr_tumour" / "STS_008"
        twin, inside = load(folder / "PET_image.nii.gz").array, load(folder / "PET_mask.nii.gz").array > 0
        off = max(abs(suv[inside].max() / twin[inside].max() - 1), abs(suv[inside].mean() / twin[inside].mean() - 1))
        rows.append(row("SUVmax and mean, DICOM against its NIfTI twin (bar: 1 %)", float(off) * 100, 1.0, "%"))
    return rows


def row(name: str, ours: float, peer: float, unit: str) -> Row:
    return {
        "name": name, "ours": float(f"{ours:.3g}"), "peer": float(f"{peer:.3g}"),
        "ratio": float(f"{peer / max(ours, 1e-12):.3g}"), "unit": unit,
    }  # fmt: skip


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=60)
    arguments = parser.parse_args()
    print(json.dumps([*sizes(arguments.bodies), *agreement()], indent=2))


if __name__ == "__main__":
    main()
