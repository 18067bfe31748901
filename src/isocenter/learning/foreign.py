"""Generated pictures that are none of ours: noise, blanks, text, shapes, photo-like scenes, cells, layers, limbs.

They teach a classifier what to refuse. Each kind is a function of a random generator and a size; nothing is read from
disk, so a run can make them again. Values are float32 in [0, 1], shape (size, size).
"""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

_LETTERS: Final = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;-()%"))


def make_foreign(kind: str, rng: np.random.Generator, size: int) -> np.ndarray:
    """One generated picture of a kind, with random contrast and sometimes turned negative."""
    picture = np.clip(KINDS[kind](rng, size), 0.0, 1.0).astype(np.float32)
    if kind != "blank":
        picture = picture ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
        if rng.random() < 0.2:
            picture = 1.0 - picture
        if rng.random() < 0.3:
            low, high = np.sort(rng.uniform(0, 1, 2))
            picture = low + (high - low) * picture
    return np.asarray(picture, dtype=np.float32)


def scramble(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture's tiles in another order, each turned at random: its textures without its anatomy; same shape."""
    tiles = int(rng.integers(2, 6))
    step = min(picture.shape) // tiles
    places = [(row * step, column * step) for row in range(tiles) for column in range(tiles)]
    result = picture.copy()
    for (row, column), source in zip(places, rng.permutation(len(places)), strict=True):
        top, left = places[int(source)]
        tile = np.rot90(picture[top : top + step, left : left + step], int(rng.integers(0, 4)))
        result[row : row + step, column : column + step] = tile
    return result


def smooth_field(rng: np.random.Generator, size: int, sigma: tuple[float, float]) -> np.ndarray:
    """Gaussian noise smoothed by sigma (rows, columns) pixels, mean 0 and deviation 1."""
    step = max(1, int(min(sigma) / 2))
    coarse = rng.standard_normal((size // step + 2, size // step + 2)).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), sigmaX=max(sigma[1] / step, 0.3), sigmaY=max(sigma[0] / step, 0.3))
    field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray((field - field.mean()) / (field.std() + 1e-6))


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """White, uniform, salt-and-pepper, or sensor noise around a level."""
    choice = rng.integers(0, 4)
    if choice == 0:
        return rng.random((size, size))
    if choice == 1:
        return np.asarray(rng.uniform(0.2, 0.8) + rng.uniform(0.02, 0.4) * rng.standard_normal((size, size)))
    if choice == 2:
        return (rng.random((size, size)) < rng.uniform(0.02, 0.5)).astype(np.float32)
    return rng.poisson(rng.uniform(0.5, 30), (size, size)) / rng.uniform(5, 60)


def _fractal(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise whose spectrum falls as a power of frequency, clouds to sand.

    Source: D. J. Field, J. Opt. Soc. Am. A 4:2379 (1987): natural images have amplitude spectra near 1/f.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, np.newaxis], np.fft.fftfreq(size) * np.exp(rng.uniform(-0.7, 0.7)))
    spectrum = np.fft.fft2(rng.standard_normal((size, size))) / np.maximum(frequency, 1 / size) ** rng.uniform(0.5, 2)
    field = np.real(np.fft.ifft2(spectrum))
    return np.asarray(0.5 + rng.uniform(0.1, 0.3) * (field - field.mean()) / field.std())


def _blank(rng: np.random.Generator, size: int) -> np.ndarray:
    """One level everywhere, sometimes with a trace of noise, a border or a tilt."""
    picture = np.full((size, size), rng.choice([0.0, 1.0, rng.random()]), dtype=np.float32)
    if rng.random() < 0.5:
        picture += rng.uniform(0, 0.03) * rng.standard_normal((size, size)).astype(np.float32)
    if rng.random() < 0.3:
        edge = int(rng.integers(1, size // 6))
        picture[:edge] = picture[-edge:] = rng.random()
    return picture


def _gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    """A ramp, a spot of light, stripes, rings or a chessboard."""
    rows, columns = np.mgrid[:size, :size] / size - rng.uniform(0.2, 0.8, (2, 1, 1))
    angle = rng.uniform(0, 2 * np.pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    around, wave = np.hypot(rows, columns), rng.uniform(2, 40)
    forms = (
        0.5 + along * rng.uniform(0.2, 1),
        np.exp(-((around / rng.uniform(0.1, 0.7)) ** 2)),
        0.5 + 0.5 * np.sin(along * wave),
        0.5 + 0.5 * np.sin(around * wave),
        (np.floor(along * wave / 3) + np.floor((rows * np.cos(angle) - columns * np.sin(angle)) * wave / 3)) % 2,
    )
    return np.asarray(forms[int(rng.integers(0, len(forms)))])


def _leaves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Things of all sizes in front of each other, shaded and textured: a picture with the statistics of a photograph.

    Source: Lee, Mumford, Huang, "Occlusion models for natural images", Int. J. Comput. Vision 41:35 (2001).
    """
    picture: np.ndarray = _fractal(rng, size)
    exponent = rng.uniform(1.2, 3)
    for _ in range(int(rng.integers(5, 120))):
        radius = max(1.5, size * 0.45 * rng.random() ** exponent)
        shape = _random_shape(rng, size, radius)
        mask = np.zeros((size, size), dtype=np.float32)
        cv2.fillPoly(mask, [shape], 1.0, lineType=cv2.LINE_AA)
        texture = smooth_field(rng, size, (rng.uniform(0.5, 6), rng.uniform(0.5, 6))) * rng.uniform(0, 0.15)
        shade = np.linspace(-1, 1, size, dtype=np.float32) * rng.uniform(-0.3, 0.3)
        fill = rng.random() + texture + (shade if rng.random() < 0.5 else shade[:, np.newaxis])
        picture = picture * (1 - mask) + fill * mask
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9)))


def _face(rng: np.random.Generator, size: int) -> np.ndarray:
    """One large thing with parts on a blurred ground: a portrait of a head, an animal, a cup."""
    ground: np.ndarray = cv2.GaussianBlur(_leaves(rng, size).astype(np.float32), (0, 0), rng.uniform(1, size / 12))
    if rng.random() < 0.4:  # before a dark wall: a flower, a clock, a fruit
        ground = ground * np.float32(rng.uniform(0, 0.15))
    centre = (rng.uniform(0.35, 0.65, 2) * size).astype(int)
    radius = rng.uniform(0.18, 0.42) * size
    tone = rng.random()
    light = np.linspace(-0.5, 0.5, size, dtype=np.float32) * rng.uniform(-0.8, 0.8)
    for part in range(int(rng.integers(3, 14))):
        reach = 0.0 if part == 0 else radius * rng.uniform(0.1, 1.1)
        angle = rng.uniform(0, 2 * np.pi)
        place = (int(centre[0] + reach * np.cos(angle)), int(centre[1] + reach * np.sin(angle)))
        axes = radius * (rng.uniform(0.7, 1.1, 2) if part == 0 else rng.uniform(0.05, 0.45, 2))
        mask = np.zeros((size, size), dtype=np.float32)
        cv2.ellipse(mask, place, (int(axes[0]) + 1, int(axes[1]) + 1), rng.uniform(0, 180), 0, 360, 1.0, -1)
        fur = smooth_field(rng, size, (rng.uniform(0.4, 2), rng.uniform(0.4, 2))) * rng.uniform(0, 0.12)
        value = (tone if part == 0 else np.clip(tone + rng.normal(0, 0.3), 0, 1)) + light + fur
        ground = ground * (1 - mask) + value.astype(np.float32) * mask
    return ground


def _shapes(rng: np.random.Generator, size: int) -> np.ndarray:
    """A few flat polygons, circles and lines: a logo, a diagram."""
    picture = np.full((size, size), rng.random(), dtype=np.float32)
    for _ in range(int(rng.integers(1, 12))):
        value, place = float(rng.random()), rng.integers(0, size, (2, 2))
        choice = rng.integers(0, 4)
        if choice == 0:
            cv2.fillPoly(picture, [_random_shape(rng, size, rng.uniform(0.05, 0.5) * size)], value)
        elif choice == 1:
            cv2.circle(picture, place[0].tolist(), int(rng.uniform(0.03, 0.4) * size) + 1, value, -1)
        elif choice == 2:
            cv2.rectangle(picture, place[0].tolist(), place[1].tolist(), value, int(rng.choice([-1, 1, 2])))
        else:
            cv2.line(picture, place[0].tolist(), place[1].tolist(), value, int(rng.integers(1, 5)))
    return picture


def _text(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lines of letters, light on dark or dark on light, drawn large and shrunk as a scanned page would be."""
    side = int(size * rng.uniform(1, 5))
    paper, ink = (rng.uniform(180, 255), rng.uniform(0, 100)) if rng.random() < 0.6 else (rng.uniform(0, 80), 255.0)
    page = np.full((side, side), paper, dtype=np.uint8)
    font, scale = int(rng.integers(0, 8)), rng.uniform(0.3, 1.2)
    for row in range(int(rng.uniform(0, 20)), side + 20, int(rng.uniform(12, 40) * scale) + 6):
        line = "".join(rng.choice(_LETTERS, int(rng.integers(2, 40)))).replace("e", " ")
        if rng.random() < 0.85:
            cv2.putText(page, line, (int(rng.integers(0, 20)), row), font, scale, ink, 1 + int(rng.random() < 0.3))
    return np.asarray(cv2.resize(page, (size, size), interpolation=cv2.INTER_AREA) / np.float32(255))


def _layers(rng: np.random.Generator, size: int) -> np.ndarray:
    """Wavy layers with speckle, sometimes cut to a fan: a scan by echo of no organ."""
    depth = np.linspace(0, 1, size, dtype=np.float32)[:, np.newaxis]
    wave = smooth_field(rng, size, (size * 0.2, size * rng.uniform(0.1, 0.4))) * rng.uniform(0.01, 0.12)
    bounds = np.sort(rng.random(int(rng.integers(1, 9))))
    index = np.searchsorted(bounds, np.clip(depth + wave, 0, 1))
    picture: np.ndarray = rng.random(len(bounds) + 1)[index]
    picture = picture * (1 + rng.uniform(0.1, 0.6) * smooth_field(rng, size, (0.6, rng.uniform(0.6, 2))))
    if rng.random() < 0.5:
        fan = np.zeros((size, size), dtype=np.float32)
        half = rng.uniform(25, 60)
        apex = (size // 2 + int(rng.integers(-4, 5)), -int(rng.uniform(0, 0.3) * size))
        cv2.ellipse(fan, apex, (int(size * 1.2), int(size * 1.2)), 90, -half, half, 1.0, -1)
        picture = picture * fan
    return np.asarray(picture)


def _cells(rng: np.random.Generator, size: int) -> np.ndarray:
    """Many round things on an even ground: blood, tissue under a microscope, coins, seeds."""
    ground = rng.random()
    picture = ground + 0.04 * smooth_field(rng, size, (3, 3)) + 0.1 * smooth_field(rng, size, (size / 3, size / 3))
    radius = rng.uniform(0.02, 0.16) * size
    tone, rim = ground + rng.choice([-1, 1]) * rng.uniform(0.1, 0.5), rng.uniform(-0.2, 0.2)
    for _ in range(int(rng.integers(6, 90))):
        place = rng.integers(0, size, 2).tolist()
        axes = (radius * rng.uniform(0.7, 1.3, 2)).astype(int) + 1
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(picture, place, axes.tolist(), angle, 0, 360, float(tone + rng.normal(0, 0.05)), -1)
        cv2.ellipse(picture, place, axes.tolist(), angle, 0, 360, float(tone + rim), 1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2)))


def _limb(rng: np.random.Generator, size: int) -> np.ndarray:
    """Nested ovals with texture on a dark ground: a section or a projection of some other part of a body."""
    picture: np.ndarray = np.full((size, size), rng.uniform(0, 0.1))
    for _ in range(int(rng.integers(1, 3))):
        centre, outer = rng.uniform(0.3, 0.7, 2) * size, rng.uniform(0.15, 0.5, 2) * size
        turn = rng.uniform(0, 180)
        scale, place = 1.0, centre.copy()
        for _ in range(int(rng.integers(2, 6))):
            mask = np.zeros((size, size), dtype=np.float32)
            axes = np.maximum(outer * scale, 1).astype(int)
            cv2.ellipse(mask, place.astype(int).tolist(), axes.tolist(), turn, 0, 360, 1.0, -1, cv2.LINE_AA)
            texture = smooth_field(rng, size, tuple(rng.uniform(0.5, 5, 2))) * rng.uniform(0, 0.15)
            picture = picture * (1 - mask) + mask * (rng.random() + texture)
            scale *= rng.uniform(0.5, 0.95)
            place = centre + rng.normal(0, 0.25, 2) * outer * (1 - scale)
    for _ in range(int(rng.integers(0, 4))):
        start, end = rng.integers(0, size, 2).tolist(), rng.integers(0, size, 2).tolist()
        cv2.line(picture, start, end, float(rng.uniform(0.5, 1)), int(rng.integers(1, max(2, size // 8))))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.5)))


def _spots(rng: np.random.Generator, size: int) -> np.ndarray:
    """Soft bright spots on a dark ground: uptake, stars, lamps at night."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    picture = np.full((size, size), rng.uniform(0, 0.1)) + rng.uniform(0, 0.05) * rng.standard_normal((size, size))
    for _ in range(int(rng.integers(1, 15))):
        row, column = rng.uniform(0.1, 0.9, 2) * size
        wide, high = rng.uniform(0.02, rng.choice([0.08, 0.3]), 2) * size
        distance = ((rows - row) / high) ** 2 + ((columns - column) / wide) ** 2
        picture += rng.uniform(0.2, 1) * np.exp(-(distance ** rng.uniform(0.6, 2)))
    return np.asarray(picture)


def _random_shape(rng: np.random.Generator, size: int, radius: float) -> np.ndarray:
    """Corners of a star-shaped polygon somewhere in the picture, (corners, 2) int32."""
    corners = int(rng.integers(3, 14))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * rng.uniform(0.4, 1.1, corners)
    points = rng.uniform(0, size, 2) + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)
    return np.asarray(points.astype(np.int32))


KINDS: Final[Mapping[str, Callable[[np.random.Generator, int], np.ndarray]]] = {
    "noise": _noise,
    "fractal": _fractal,
    "blank": _blank,
    "gradient": _gradient,
    "leaves": _leaves,
    "face": _face,
    "shapes": _shapes,
    "text": _text,
    "layers": _layers,
    "cells": _cells,
    "limb": _limb,
    "spots": _spots,
}
