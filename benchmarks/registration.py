"""Registration of 128 x 128 x 128 voxels with known motions: ours against SimpleITK's affine search and its demons.

A body with texture, moved by a known affine motion (and a smooth field), with noise. Ours and the peer alternate;
the figure is the median in seconds; the accuracies stand as rows of their own (unit "voxel" or "NCC").
`python benchmarks/registration.py` prints JSON; `--runs N` and `--size N` shorten it.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.ndimage as ndimage
import SimpleITK as sitk  # noqa: N813

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.deformable import register_deformable
from isocenter.imaging.register.linear import register_linear
from isocenter.imaging.register.warp import warp_field

LINEAR = np.array(((0.9945, -0.1045, 0), (0.1045, 0.9945, 0), (0, 0, 1))) @ np.diag((1.03, 0.98, 1.0))
SHIFT = np.array((3.0, -2.0, 1.5))


def pictures(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fixed, moved by the affine motion, moved by the motion and a field, and the body; float32 and bool."""
    rng = np.random.default_rng(0)
    axes = np.stack(np.meshgrid(*[np.linspace(-1, 1, size)] * 3, indexing="ij"))
    body = axes[0] ** 2 / 0.8 + axes[1] ** 2 / 0.6 + axes[2] ** 2 / 0.5 < 1
    texture = sum(a * zoomed(rng.normal(size=(n,) * 3), size) for n, a in ((8, 100), (16, 60), (32, 30)))
    fixed = ndimage.gaussian_filter(np.where(body, 100 + texture, -900).astype(np.float32), 1)
    centre = (size - 1) / 2
    index = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 3, indexing="ij")).reshape(3, -1)
    places = LINEAR @ (index - centre) + centre + (SHIFT * size / 128)[:, None]
    field = np.stack([zoomed(rng.normal(size=(6, 6, 6)) * 2.0 * size / 128, size).ravel() for _ in range(3)])
    moved = [
        (
            ndimage.map_coordinates(fixed, at, order=1, mode="nearest").reshape(fixed.shape)
            + rng.normal(0, 10, fixed.shape)
        )
        for at in (places, places + field)
    ]
    return fixed, moved[0].astype(np.float32), moved[1].astype(np.float32), body


def zoomed(array: np.ndarray, size: int) -> np.ndarray:
    return ndimage.zoom(array, size / array.shape[0], order=3)[:size, :size, :size]


def affine_by_simpleitk(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """Mattes information, three levels, regular steps: the set-up of SimpleITK's own examples."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 42)
    method.SetInterpolator(sitk.sitkLinear)
    geometry = sitk.CenteredTransformInitializerFilter.GEOMETRY
    start = sitk.CenteredTransformInitializer(fixed, moving, sitk.AffineTransform(3), geometry)
    method.SetInitialTransform(start, True)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100, 0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    return method.Execute(fixed, moving)


def demons_by_simpleitk(fixed: sitk.Image, moving: sitk.Image) -> np.ndarray:
    """The affine search, then fast symmetric demons of 50 iterations; the moved array."""
    moved = sitk.Resample(moving, fixed, affine_by_simpleitk(fixed, moving), sitk.sitkLinear, -900.0)
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfIterations(50)
    demons.SetStandardDeviations(1.5)
    field = sitk.Cast(demons.Execute(fixed, moved), sitk.sitkVectorFloat64)
    return sitk.GetArrayFromImage(
        sitk.Resample(moved, fixed, sitk.DisplacementFieldTransform(field), sitk.sitkLinear, -900.0)
    )


def target_error(move: Callable[[np.ndarray], np.ndarray], size: int) -> float:
    """Mean distance in voxels from the true places of 500 points; move: (n, 3) x y z -> the same."""
    points = np.random.default_rng(1).uniform(0.3, 0.7, (500, 3)) * size
    centre = (size - 1) / 2
    true = (points - centre - SHIFT * size / 128) @ np.linalg.inv(LINEAR).T + centre
    return float(np.linalg.norm(move(points[:, ::-1])[:, ::-1] - true, axis=1).mean())


def alternate(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median seconds of both, after one run of each that is not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(runs + 1):
        for call, kept in ((ours, seconds[0]), (peer, seconds[1])):
            begun = time.perf_counter()
            call()
            if number:
                kept.append(time.perf_counter() - begun)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    size = options.size
    fixed, moving, bent, body = pictures(size)
    volumes = [Volume(array, Grid.of_spacing(array.shape, (1.0, 1.0, 1.0))) for array in (fixed, moving, bent)]
    images = [sitk.GetImageFromArray(array) for array in (fixed, moving, bent)]
    rows = []

    def row(name: str, ours: float, peer: float, ratio: float, unit: str) -> None:
        rows.append({"name": name, "ours": ours, "peer": peer, "ratio": ratio, "unit": unit, "peer_name": "SimpleITK"})

    a, b = alternate(
        lambda: register_linear(volumes[0], volumes[1]), lambda: affine_by_simpleitk(images[0], images[1]), options.runs
    )
    row(f"affine registration, {size} cubed", a, b, b / a, "s")
    matrix = register_linear(volumes[0], volumes[1]).matrix
    theirs = affine_by_simpleitk(images[0], images[1])
    a = target_error(lambda points: points @ matrix[:3, :3].T + matrix[:3, 3], size)
    b = target_error(lambda points: np.array([theirs.TransformPoint(p.tolist()) for p in points]), size)
    row("affine target error", a, b, b / a, "voxel")
    a, b = alternate(
        lambda: register_deformable(volumes[0], volumes[2]),
        lambda: demons_by_simpleitk(images[0], images[2]),
        max(1, options.runs // 2),
    )
    row(f"deformable registration, {size} cubed", a, b, b / a, "s")
    found = register_deformable(volumes[0], volumes[2])
    ours = warp_field(volumes[2], volumes[0].grid, found.field_mm).array
    peers = demons_by_simpleitk(images[0], images[2])
    a, b = (float(np.corrcoef(array[body], fixed[body])[0, 1]) for array in (ours, peers))
    row("deformable correlation in the body", a, b, a / b, "NCC")
    row("deformable folding", found.folding_percent, float("nan"), float("nan"), "%")
    print(json.dumps([{k: None if v != v else v for k, v in each.items()} for each in rows], indent=2))


if __name__ == "__main__":
    main()
