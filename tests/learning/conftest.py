"""A whole training run on drawn heads, made once: the fetal-head recipe in small."""

from pathlib import Path

import cv2
import numpy as np
import pytest

CONFIG = """
task = "fetal-head"
kind = "segmentation"
dataset = "hc18"
seed = 4
prepare = [{ op = "gray" }, { op = "resize", rows = 48, columns = 64, fit = "pad" }, { op = "zscore" }]
augment = [{ op = "flip", p = 0.5 }]
network = { name = "unet", widths = [8, 16], dropout = 0.0 }
loss = { name = "dice_bce" }

[split]
test_fraction = 0.2
folds = 2
learn = 1
refit = true

[fit]
epochs = 20
batch = 4
learning_rate = 1e-2
ema = 0.8
evaluate_every = 10

[finer]
rows = 64
columns = 96
epochs = 6
learning_rate = 5e-3

[card]
name = "drawn-head"
version = "0.1.0"
modality = "US"
body_part = "HEAD"
licence = "CC0-1.0"
intended_use = "Tests."
limits = ["Drawn heads only"]
tolerance = 0.1

[card.parameters.fit_limits]
min_overlap = 0.6

[card.ood]
components = 4
pictures = 8
foreign = ["strangers"]
generated = ["shapes"]
"""


def draw_heads(folder: Path, n: int = 30) -> None:
    """Ellipses with speckle in the layout of HC18; the reference circumference is that of the drawn ellipse."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    j, i = np.mgrid[:96, :128]
    rows = ["image,mask,case,pixel_size_mm,head_circumference_mm"]
    for index in range(n):
        longer = rng.uniform(26, 40)
        shorter = 0.8 * longer
        centre = rng.uniform(44, 52), rng.uniform(56, 72)
        mask = ((j - centre[0]) / shorter) ** 2 + ((i - centre[1]) / longer) ** 2 <= 1
        image = (60 + 90 * mask) * rng.gamma(20, 1 / 20, mask.shape)
        h = ((longer - shorter) / (longer + shorter)) ** 2
        around = np.pi * (longer + shorter) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
        cv2.imwrite(str(folder / "images" / f"{index:03}.png"), np.clip(image, 0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / "masks" / f"{index:03}.png"), (255 * mask).astype(np.uint8))
        rows.append(f"images/{index:03}.png,masks/{index:03}.png,{index // 2:03},0.5,{0.5 * around:.3f}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def head_data(tmp_path_factory) -> Path:
    """Drawn heads, with a folder of strangers beside them."""
    folder = tmp_path_factory.mktemp("data")
    draw_heads(folder / "heads")
    (folder / "strangers").mkdir()
    rng = np.random.default_rng(1)
    for index in range(8):
        cv2.imwrite(str(folder / "strangers" / f"{index}.png"), rng.integers(0, 255, (60, 60), dtype=np.uint8))
    return folder / "heads"


@pytest.fixture(scope="session")
def head_run(head_data, tmp_path_factory) -> Path:
    """A finished run with its draft package."""
    from isocenter.learning.package_run import draft_package
    from isocenter.learning.train import train

    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.toml").write_text(CONFIG)
    train(folder / "recipe.toml", head_data, folder / "run")
    draft_package(folder / "run", head_data)
    return folder / "run"
