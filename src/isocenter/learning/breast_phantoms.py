"""Generated breast ultrasound: layers of tissue, speckle, and masses drawn by the words of the BI-RADS lexicon.

A network that has first learnt to find and describe these masses needs far fewer real pictures. Shape, margin,
orientation, echo pattern and posterior features are drawn so that they go together as they do in patients: oval,
circumscribed, parallel and enhancing, or irregular, indistinct, upright and shadowing.

Source: ACR BI-RADS Atlas, 5th edition, ultrasound lexicon (the words); Burckhardt, IEEE Trans. Sonics Ultrason. 25:1
(1978) (speckle: the length of a sum of random phasors).
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from isocenter.learning.foreign import smooth_field

# What a phantom says of its last mass; 0 where there is none.
ATTRIBUTES: Final = ("mass", "irregular", "log_aspect", "posterior", "echo", "margin_width", "size", "several")


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A generated picture with its truth.

    picture      float32 (size, size) in [0, 1]
    mask         float32 (size, size) in [0, 1]: masses
    attributes   float32, in the order of ATTRIBUTES
    """

    picture: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    attributes: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Mass:
    """A mass's outline: signed distance in radii (negative inside) and where it lies, in pixels."""

    distance: np.ndarray
    row: float
    column: float
    radius: float
    aspect: float


def make_breast_phantom(rng: np.random.Generator, size: int) -> Phantom:
    """One picture with no, one or two masses; left and right are exchanged in half of them."""
    echo = _tissue(rng, size)
    mask, attributes = np.zeros((size, size), dtype=np.float32), np.zeros(len(ATTRIBUTES), dtype=np.float32)
    n_masses = int(rng.choice([0, 1, 1, 1, 2]))
    tendency = float(rng.random() < 0.5)
    for _ in range(n_masses):
        irregular = float(np.clip(tendency + rng.normal(0, 0.12), 0, 1))
        mass = _outline(rng, size, irregular)
        echo, inside, facts = _draw_mass(rng, echo, mass, irregular)
        mask = np.maximum(mask, inside)
        attributes[:] = [1, irregular, np.log(mass.aspect), *facts, 2 * np.sqrt(mass.radius / size), n_masses > 1]
    picture = _insonate(rng, echo)
    if rng.random() < 0.5:
        picture, mask = picture[:, ::-1], mask[:, ::-1]
    return Phantom(np.ascontiguousarray(picture), np.ascontiguousarray(mask), attributes)


def _tissue(rng: np.random.Generator, size: int) -> np.ndarray:
    """Mean echo of skin, fat, gland and muscle in wavy layers, with bright septa and dark lobules."""
    depth = np.linspace(0, 1, size, dtype=np.float32)[:, np.newaxis]
    wavy = np.clip(depth + smooth_field(rng, size, (size * 0.08, size * 0.3)) * rng.uniform(0.01, 0.05), 0, 1)
    bounds = np.cumsum([rng.uniform(0.02, 0.07), rng.uniform(0.08, 0.3), rng.uniform(0.2, 0.5)])
    levels = [rng.uniform(0.5, 0.8), rng.uniform(0.25, 0.45), rng.uniform(0.3, 0.65), rng.uniform(0.15, 0.4)]
    echo = np.asarray(levels, dtype=np.float32)[np.searchsorted(bounds, wavy)]
    echo = cv2.GaussianBlur(echo, (0, 0), rng.uniform(1, 3))
    echo += smooth_field(rng, size, (rng.uniform(2, 7), rng.uniform(4, 20))) * rng.uniform(0.03, 0.1)
    septa = smooth_field(rng, size, (rng.uniform(1, 3), rng.uniform(5, 18)))
    echo += np.maximum(0, septa - rng.uniform(0.8, 1.6)) * rng.uniform(0.05, 0.3)
    if rng.random() < 0.5:
        lobules = smooth_field(rng, size, (rng.uniform(2, 6), rng.uniform(3, 8)))
        echo -= np.maximum(0, lobules - rng.uniform(0.3, 1.2)) * rng.uniform(0.05, 0.25)
    return np.asarray(echo)


def _outline(rng: np.random.Generator, size: int, irregular: float) -> _Mass:
    """An ellipse whose radius is bent by harmonics; an irregular one also by spikes and by noise."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    row, column = rng.uniform(0.25, 0.7) * size, rng.uniform(0.2, 0.8) * size
    radius = rng.uniform(0.05, 0.24) * size
    aspect = float(np.exp(rng.uniform(-0.1, 0.75) if irregular < 0.5 else rng.uniform(-0.6, 0.4)))
    turn = rng.uniform(-0.35, 0.35)
    across = ((columns - column) * np.cos(turn) + (rows - row) * np.sin(turn)) / (radius * np.sqrt(aspect))
    along = ((rows - row) * np.cos(turn) - (columns - column) * np.sin(turn)) / (radius / np.sqrt(aspect))
    angle = np.arctan2(along, across)
    reach = np.ones_like(angle)
    for harmonic in range(2, 10):
        share = 1.0 if irregular > 0.5 or harmonic < 4 else 0.2
        height = share * (irregular * 0.13 + 0.025) * rng.standard_normal() / np.sqrt(harmonic - 1)
        reach += height * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    if irregular > 0.5 and rng.random() < 0.5:
        spikes = np.maximum(0, np.cos(int(rng.integers(7, 16)) * angle + rng.uniform(0, 2 * np.pi))) ** 3
        reach += irregular * 0.18 * rng.uniform(0.3, 1.3) * spikes
    rough = smooth_field(rng, size, (rng.uniform(3, 9), rng.uniform(3, 9)))
    distance = np.hypot(across, along) - reach + irregular * rng.uniform(0, 0.25) * rough
    return _Mass(distance, float(row), float(column), float(radius), aspect)


def _draw_mass(
    rng: np.random.Generator, echo: np.ndarray, mass: _Mass, irregular: float
) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """The tissue with a mass in it, where the mass is, and (posterior, echo, margin) of ATTRIBUTES."""
    size = echo.shape[0]
    margin = rng.uniform(0.02, 0.08) if irregular < 0.5 else rng.uniform(0.05, 0.3)
    inside = 1 / (1 + np.exp(np.clip(mass.distance / margin * 2, -20, 20)))
    level = rng.uniform(0, 0.8)
    content = echo * level * 0.6 + echo * 0.05
    if level > 0.15:
        content += smooth_field(rng, size, (rng.uniform(2, 8), rng.uniform(2, 8))) * rng.uniform(0, 0.06)
    echo = echo * (1 - inside) + content * inside
    if irregular < 0.5 and rng.random() < 0.5:
        echo += np.exp(-((mass.distance / 0.06) ** 2)) * rng.uniform(0, 0.25)  # capsule
    if irregular > 0.5 and rng.random() < 0.5:
        echo += np.exp(-(((mass.distance - 0.15) / 0.15) ** 2)) * rng.uniform(0, 0.2)  # echogenic halo
    posterior = rng.uniform(0, 0.2) * (rng.random() < 0.2) * -1
    if irregular < 0.5 and rng.random() < 0.7:
        posterior += rng.uniform(0, 0.5)
    if irregular > 0.5 and rng.random() < 0.6:
        posterior -= rng.uniform(0.1, 0.8)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    below = np.clip((rows - mass.row) / mass.radius - 0.6, 0, 1)
    beam = np.exp(-(((columns - mass.column) / (mass.radius * rng.uniform(0.5, 0.9))) ** 4))
    fading = np.exp(-np.clip((rows - mass.row) / size, 0, 1) * rng.uniform(0, 2))
    return echo * (1 + posterior * below * beam * fading), inside, (posterior, level, margin * 3)


def _insonate(rng: np.random.Generator, echo: np.ndarray) -> np.ndarray:
    """The picture that a scanner makes of the echo: attenuation, shadow streaks, speckle, gain."""
    size = echo.shape[0]
    depth = np.linspace(0, 1, size, dtype=np.float32)[:, np.newaxis]
    echo = echo * (1 + rng.uniform(-0.5, 0.3) * (depth - 0.3))
    if rng.random() < 0.4:
        streaks = smooth_field(rng, size, (size * 0.8, rng.uniform(4, 12)))
        echo = echo * (1 - np.clip(streaks - 1, 0, 1) * rng.uniform(0.1, 0.5))
    grain, width = rng.uniform(0.4, 1.1), rng.uniform(1, 1.8)
    phasor = [smooth_field(rng, size, (grain, grain * width)) for _ in range(2)]
    speckle = np.hypot(*phasor)
    strength = rng.uniform(0.1, 0.6)
    picture = np.clip(echo, 0.005, 1.2) * (1 - strength + strength * speckle / speckle.mean())
    picture = np.clip(picture, 0, 1) ** rng.uniform(0.7, 1.3) * rng.uniform(0.6, 1.1)
    return np.asarray(np.clip(picture, 0, 1), dtype=np.float32)
