"""Pictures as they might also have been: flips, turns, light, speckle and shadow, as data and reproducible.

A step is an operation's name with options and a probability `p` (default 1). Places move with the mask, values do
not. The random numbers come in as an argument, so an epoch can be made again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import cv2
import numpy as np

from isocenter.core.card import PrepareStep
from isocenter.core.errors import InputError

_Options = Mapping[str, float]
Pair = tuple[np.ndarray, np.ndarray | None]


def augment(image: np.ndarray, mask: np.ndarray | None, steps: Sequence[PrepareStep], rng: np.random.Generator) -> Pair:
    """A changed copy of image and mask.

    image   float32, (channels, rows, columns); mask float32 (1, rows, columns) or None
    """
    pair: Pair = (image.astype(np.float32, copy=True), None if mask is None else mask.astype(np.float32, copy=True))
    for step in steps:
        if step.op not in OPERATIONS:
            raise InputError(f"augment: expected one of {sorted(OPERATIONS)}, got {step.op!r}")
        operation, defaults = OPERATIONS[step.op]
        unknown = set(step.options) - set(defaults) - {"p"}
        if unknown:
            raise InputError(f"augment {step.op}: expected options {sorted(defaults)} and p, got {sorted(unknown)}")
        options = {name: float(value) for name, value in {**defaults, **step.options}.items()}  # type: ignore[arg-type]
        if rng.random() < options.get("p", 1.0):
            pair = operation(pair, options, rng)
    return pair


def _flip(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Left and right exchanged (or, with `vertical`, up and down)."""
    axis = -2 if options["vertical"] else -1
    image, mask = pair
    return np.flip(image, axis).copy(), None if mask is None else np.flip(mask, axis).copy()


def _affine(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Turned, scaled, stretched, shifted about the centre in one resampling; the outside is the image's minimum."""
    image, mask = pair
    rows, columns = image.shape[1:]
    angle = np.deg2rad(rng.uniform(-options["degrees"], options["degrees"]))
    scale = np.exp(rng.uniform(-options["scale"], options["scale"]))
    stretch = np.exp(rng.uniform(-options["stretch"], options["stretch"]) / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        (scale * stretch, scale / stretch)
    )
    centre = np.array(((columns - 1) / 2, (rows - 1) / 2))
    shift = rng.uniform(-options["shift"], options["shift"], size=2) * (columns, rows)
    matrix = np.column_stack([turn, centre + shift - turn @ centre])
    warped = np.stack([_warp(plane, matrix, float(plane.min())) for plane in image])
    return warped, None if mask is None else np.stack([_warp(plane, matrix, 0.0) for plane in mask])


def _warp(plane: np.ndarray, matrix: np.ndarray, outside: float) -> np.ndarray:
    """One plane through an affine map, linear."""
    size = (plane.shape[1], plane.shape[0])
    return np.asarray(cv2.warpAffine(plane, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=outside))


def _gamma(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """A power law between the image's smallest and largest value."""
    image, mask = pair
    low, high = float(image.min()), float(image.max())
    unit = (image - low) / max(high - low, 1e-6)
    return low + (high - low) * unit ** np.float32(np.exp(rng.uniform(-options["strength"], options["strength"]))), mask


def _contrast(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Values times a factor about the mean, plus a shift in standard deviations."""
    image, mask = pair
    factor = np.exp(rng.uniform(-options["factor"], options["factor"]))
    shift = rng.uniform(-options["shift"], options["shift"]) * float(image.std())
    mean = float(image.mean())
    return ((image - mean) * factor + mean + shift).astype(np.float32), mask


def _noise(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Gaussian noise of up to `strength` standard deviations of the image."""
    image, mask = pair
    sigma = np.float32(rng.uniform(0, options["strength"]) * float(image.std()))
    return image + sigma * rng.standard_normal(image.shape, dtype=np.float32), mask


def _speckle(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Multiplicative noise with a grain of `grain` pixels, as coherent imaging has it."""
    image, mask = pair
    grain = rng.standard_normal(image.shape[1:], dtype=np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), options["grain"]) if options["grain"] > 0 else grain
    grain = grain / max(float(grain.std()), 1e-6) * np.float32(rng.uniform(0, options["strength"]))
    low = image.min()
    return low + (image - low) * np.maximum(1 + grain, 0), mask


def _shadow(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """A darker sector from above, as bone or gas throws it in ultrasound; sometimes brighter instead."""
    image, mask = pair
    rows, columns = image.shape[1:]
    j, i = np.mgrid[:rows, :columns].astype(np.float32)
    apex_j, apex_i = -rng.uniform(0.2, 1.0) * rows, rng.uniform(0.2, 0.8) * columns
    angle = np.arctan2(i - apex_i, j - apex_j)
    middle, half = rng.uniform(angle.min(), angle.max()), rng.uniform(0.03, options["width"])
    strength = rng.uniform(-0.3, 1.0) * options["strength"]
    factor = 1 - strength * np.exp(-(((angle - middle) / half) ** 2))
    low = image.min()
    return (low + (image - low) * factor).astype(np.float32), mask


def _blur(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Gaussian smoothing of up to `sigma` pixels."""
    image, mask = pair
    sigma = rng.uniform(0.1, options["sigma"])
    return np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in image]), mask


def _erase(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """A rectangle of up to `size` of the sides set to the image's minimum, as annotation boxes do."""
    image, mask = pair
    rows, columns = image.shape[1:]
    height, width = (rng.uniform(0.05, options["size"], size=2) * (rows, columns)).astype(int) + 1
    top, left = rng.integers(0, rows - height + 1), rng.integers(0, columns - width + 1)
    image = image.copy()
    image[:, top : top + height, left : left + width] = image.min()
    return image, mask


def _marks(pair: Pair, options: _Options, rng: np.random.Generator) -> Pair:
    """Up to `count` bright crosses, dotted lines and letters of a few pixels, as burned-in callipers and labels are.

    Where they lie says nothing, so a network cannot learn that measured means ill.
    """
    image, mask = pair
    plane = np.ascontiguousarray(image[0])
    rows, columns = plane.shape
    bright = float(plane.max())
    for _ in range(int(rng.integers(1, int(options["count"]) + 1))):
        row, to_row = rng.integers(2, rows - 2, size=2).tolist()
        column, to_column = rng.integers(2, columns - 2, size=2).tolist()
        value, choice = bright * float(rng.uniform(0.7, 1.0)), rng.random()
        if choice < 0.6:
            form = cv2.MARKER_CROSS if rng.random() < 0.7 else cv2.MARKER_TILTED_CROSS
            cv2.drawMarker(plane, (column, row), value, form, int(rng.integers(4, 9)), 1)
        elif choice < 0.85:
            along = np.linspace(0, 1, int(rng.integers(12, 40)))
            dots = np.rint([row + (to_row - row) * along, column + (to_column - column) * along]).astype(int)
            plane[dots[0], dots[1]] = value
        else:
            end = (min(columns, column + int(rng.integers(4, 20))), row + 3)
            cv2.rectangle(plane, (column, row), end, value, 1)
    return np.stack([plane, *image[1:]]), mask


_Operation = Callable[[Pair, _Options, np.random.Generator], Pair]

# name: (function, options with their defaults)
OPERATIONS: Final[Mapping[str, tuple[_Operation, dict[str, float]]]] = {
    "flip": (_flip, {"vertical": 0.0}),
    "affine": (_affine, {"degrees": 15.0, "scale": 0.15, "stretch": 0.1, "shift": 0.05}),
    "gamma": (_gamma, {"strength": 0.4}),
    "contrast": (_contrast, {"factor": 0.2, "shift": 0.2}),
    "noise": (_noise, {"strength": 0.1}),
    "speckle": (_speckle, {"strength": 0.3, "grain": 1.0}),
    "shadow": (_shadow, {"width": 0.3, "strength": 0.8}),
    "blur": (_blur, {"sigma": 1.0}),
    "erase": (_erase, {"size": 0.3}),
    "marks": (_marks, {"count": 4.0}),
}
