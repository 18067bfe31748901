import numpy as np
import pytest

from isocenter.core.card import ModelCard, PrepareStep
from isocenter.core.finding import ModelRef
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.reading.task import Case
from isocenter.reading.tasks.fetal_head import TASK
from isocenter.zoo.predict import FunctionPredictor, Model, Models

SHAPE = (192, 256)
# Half axes in pixels, chosen so that at 0.5 mm a pixel the head is about 27 weeks old.
LONGER, SHORTER = 88.0, 70.0


def make_case(draw, intake: Model) -> Case:
    """A case whose model draws what `draw` says on 192 x 256 prepared pixels."""
    card = ModelCard(
        name="fetal-head", version="1.0.0", task="fetal-head", kind="segmentation", modality="US", body_part="FETUS",
        intended_use="tests", limits=("none",), classes=("head",), input_shape=(1, *SHAPE),
        prepare=(PrepareStep("gray"),), outputs={"logits": "mask logits"}, licence="none", data={},
        parameters={"fit_limits": {"min_overlap": 0.9, "min_visible": 0.5}, "margin_px": 0.0, "relative_sd": 0.01},
    )  # fmt: skip
    predictor = FunctionPredictor(lambda array: {"logits": np.tile(draw(), (len(array), 1, 1, 1))})
    ref = ModelRef("fetal-head", "1.0.0", "sha256:" + "0" * 64)
    return Case(Models(given={"fetal-head": Model(card, predictor, ref), "intake": intake}))


@pytest.fixture
def case(case_seeing):
    """A maker of cases whose router sees a fetal head, or what it is told."""
    return lambda draw, seen="FetalUS": make_case(draw, case_seeing(seen).models.get("intake"))


def ellipse() -> np.ndarray:
    j, i = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.float32(8 * (1 - np.hypot((j - 95.5) / SHORTER, (i - 127.5) / LONGER)))[np.newaxis]


def head(spacing_mm: float | None) -> Volume:
    j, i = np.mgrid[: SHAPE[0], : SHAPE[1]]
    gray = np.uint8(120 + 60 * np.sin(i / 9) * np.cos(j / 7) + 40 * (ellipse()[0] > 0))
    shape = (1, *SHAPE)
    grid = Grid.of_pixels(shape) if spacing_mm is None else Grid.of_spacing(shape, (1, spacing_mm, spacing_mm))
    return Volume(gray[np.newaxis], grid, modality="US")


def test_sizes_are_those_of_the_ellipse(case):
    (finding,) = TASK.read(head(0.5), case(ellipse)).findings
    assert finding.measurement("occipitofrontal_diameter").value == pytest.approx(LONGER, rel=2e-3)
    assert finding.measurement("biparietal_diameter").value == pytest.approx(SHORTER, rel=2e-3)
    h = ((LONGER - SHORTER) / (LONGER + SHORTER)) ** 2
    around = np.pi / 2 * (LONGER + SHORTER) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    assert finding.measurement("head_circumference").value == pytest.approx(around, rel=2e-3)
    area = finding.evidence[0].voxels
    assert area == pytest.approx(np.pi * LONGER * SHORTER, rel=5e-3)


def test_the_age_is_hadlocks_with_its_range(case):
    (finding,) = TASK.read(head(0.5), case(ellipse)).findings
    hc_cm = finding.measurement("head_circumference").value / 10
    age = finding.measurement("gestational_age").value
    assert age == pytest.approx(8.96 + 0.540 * hc_cm + 0.0003 * hc_cm**3)
    low, high = finding.measurement("gestational_age_low").value, finding.measurement("gestational_age_high").value
    assert (low + high) / 2 == pytest.approx(age) and high - low == pytest.approx(2 * 2.06)


def test_without_a_pixel_size_there_is_a_mask_and_no_millimetre(case):
    reading = TASK.read(head(None), case(ellipse))
    (finding,) = reading.findings
    assert finding.measurements == () and finding.evidence[0].mask is not None
    assert finding.qualifiers["size"] == "unknown" and reading.predictions == {}


def test_outside_the_formulas_range_there_is_no_age(case):
    (finding,) = TASK.read(head(1.5), case(ellipse)).findings
    assert finding.qualifiers["age"] == "outside"
    with pytest.raises(KeyError):
        finding.measurement("gestational_age")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: np.full((1, *SHAPE), -5, np.float32),
        lambda: np.float32(np.where(np.abs(ellipse()) < 0.6, 4, -4)),
        lambda: np.float32(np.where(np.indices((1, *SHAPE))[2] % 40 < 20, 4, -4)),
    ],
    ids=["nothing", "ring", "stripes"],
)
def test_a_failed_fit_abstains_and_measures_nothing(draw, case):
    reading = TASK.read(head(0.5), case(draw))
    assert reading.abstained is not None and reading.abstained.code == "failed-fit"
    assert reading.findings == () and reading.predictions == {}


def test_a_head_that_the_router_knows_as_ct_is_not_measured(case):
    reading = TASK.read(head(0.5), case(ellipse, "HeadCT"))
    assert reading.abstained is not None and reading.abstained.code == "wrong-content"
    assert reading.predictions == {}
