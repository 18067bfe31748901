"""Where the real data lie, what a missing tool means, and models that are plain functions."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from isocenter.core.card import ModelCard, PrepareStep
from isocenter.core.finding import ModelRef
from isocenter.reading.task import Case
from isocenter.zoo.predict import FunctionPredictor, Model, Models

ROOT = Path(__file__).resolve().parent.parent


def _missing(what: str) -> None:
    """A failure where CI says so, a visible skip elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true", pytrace=False)
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets: ISOCENTER_DATA, else ../shared/data."""
    folder = Path(os.environ.get("ISOCENTER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _missing("the data folder (ISOCENTER_DATA)")
    return folder


def pytest_addoption(parser):
    parser.addoption("--redraw", action="store_true", help="write the pictures of the documents instead of comparing")


@pytest.fixture
def docs_picture(request):
    """A check that docs/pictures/<name>.png shows this uint8 array, within what another CPU's rounding changes."""
    from isocenter.io.raster import read_raster, write_png

    def check(name: str, picture: np.ndarray, *, tolerance: float = 2.0) -> None:
        path = ROOT / "docs" / "pictures" / f"{name}.png"
        if request.config.getoption("--redraw"):
            path.parent.mkdir(exist_ok=True)
            write_png(picture, path)
        shown = read_raster(path).array[0]
        assert path.stat().st_size < 150_000, f"{path.name} is too large for a page"
        assert shown.shape == picture.shape or shown.shape == picture.shape[:2], "another size; draw it with --redraw"
        wanted = picture if shown.ndim == picture.ndim else picture[..., 0]
        off = float(np.abs(shown.astype(float) - wanted).mean())
        assert off <= tolerance, f"{path.name} shows something else ({off:.1f} of 255); look, then use --redraw"

    return check


@pytest.fixture(scope="session")
def tool():
    """Path of a command-line tool, by name."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _missing(f"the tool {name}")
        return str(path)

    return find


CLASSES = ("AbdomenCT", "BreastMRI", "BreastUS", "CXR", "ChestCT", "FetalUS", "Hand", "HeadCT", "foreign")
PROPER = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")


def function_model(name: str, classes: tuple[str, ...], top: str, **card) -> Model:
    """A model that always sees `top`; its class maps light up the upper left quarter."""
    made = ModelCard(
        name=name, version="1.0.0", task=name, kind="classification", modality="US", body_part="", intended_use="tests",
        limits=("none",), classes=classes, input_shape=(1, 32, 32),
        prepare=(
            PrepareStep("gray"),
            PrepareStep("resize", {"rows": 32, "columns": 32, "fit": "stretch", "interpolation": "area"}),
        ),
        outputs={"logits": "class logits"}, licence="none", data={}, **card,
    )  # fmt: skip
    logits = np.array([8.0 if each == top else 0.0 for each in classes], np.float32)
    cam = np.zeros((1, len(classes), 8, 8), np.float32)
    cam[:, :, :4, :4] = logits[None, :, None, None]

    def run(array: np.ndarray) -> dict[str, np.ndarray]:
        return {"logits": np.tile(logits, (len(array), 1)), "cam": np.tile(cam, (len(array), 1, 1, 1))}

    return Model(made, FunctionPredictor(run), ModelRef(name, "1.0.0", "sha256:" + "0" * 64))


@pytest.fixture
def case_seeing():
    """A maker of cases without weights: what intake sees, and what the breast model answers."""

    def make(intake: str, breast: str = "malignant", context: dict | None = None) -> Case:
        proper = {"proper": list(PROPER)}
        foreign = {"method": "classes", "classes": ["foreign"], "limit": 0.5}
        models = {
            "intake": function_model("intake", CLASSES, intake, parameters=proper, ood=foreign),
            "breast-us": function_model("breast-us", ("benign", "malignant", "normal"), breast),
        }
        return Case(Models(given=models), context or {})

    return make


@pytest.fixture
def blobs():
    """A structured gray picture: neither blank nor noise, (rows, columns) uint8."""
    j, i = np.mgrid[:96, :96] / 96
    rng = np.random.default_rng(0)
    values = sum(np.sin(rng.uniform(2, 20) * i + rng.uniform(2, 20) * j + n) for n in range(6))
    return np.round(255 * (values - values.min()) / np.ptp(values)).astype(np.uint8)
