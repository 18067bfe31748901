from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.reading.task import Case
from isocenter.reading.tasks.breast_us import TASK
from isocenter.zoo.predict import Models


def image(array: np.ndarray) -> Volume:
    return Volume(array[np.newaxis], Grid.of_pixels((1, *array.shape)))


def test_a_lesion_carries_box_probability_and_estimated_category(blobs, case_seeing):
    reading = TASK.read(image(blobs), case_seeing("BreastUS", "malignant"))
    (finding,) = reading.findings
    assert finding.probability == pytest.approx(np.exp(8) / (np.exp(8) + 2))
    assert finding.categories[0].value == "5" and "ai_estimated" in finding.categories[0].flags
    assert list(reading.predictions) == ["p_benign", "p_malignant", "p_normal"]
    assert sum(reading.predictions.values()) == pytest.approx(1)


def test_the_box_lies_where_the_class_map_is_hot(blobs, case_seeing):
    (finding,) = TASK.read(image(blobs), case_seeing("BreastUS")).findings
    (_, top, left), (_, bottom, right) = finding.evidence[0].box_index
    assert top < 8 and left < 8 and bottom <= 60 and right <= 60


def test_a_normal_image_is_a_finding_of_its_own_kind(blobs, case_seeing):
    (finding,) = TASK.read(image(blobs), case_seeing("BreastUS", "normal")).findings
    assert finding.qualifiers["kind"] == "breast-normal"
    assert finding.qualifiers["verdict"] == "clear" and finding.categories[0].value == "1"


def test_a_normal_image_with_a_raised_probability_of_malignancy_gets_no_category(blobs, case_seeing):
    sure = case_seeing("BreastUS", "normal")
    model = sure.models.get("breast-us")
    calibration = {"method": "temperature", "temperature": 4.0}
    unsure = replace(model, card=replace(model.card, calibration=calibration))
    case = Case(Models(given={"breast-us": unsure, "intake": sure.models.get("intake")}), {})
    (finding,) = TASK.read(image(blobs), case).findings
    assert finding.measurement("probability_of_malignancy").value > 0.02
    assert finding.qualifiers["verdict"] == "mixed" and finding.categories == ()


def test_a_picture_that_the_router_knows_as_a_hand_is_refused(blobs, case_seeing):
    reading = TASK.read(image(blobs), case_seeing("Hand"))
    assert reading.abstained is not None and reading.abstained.code == "wrong-content"
    assert reading.predictions == {} and reading.findings == ()


def test_noise_and_blank_frames_end_at_the_gate(case_seeing):
    for array in (np.full((96, 96), 9, np.uint8), np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8)):
        reading = TASK.read(image(array), case_seeing("BreastUS"))
        assert reading.abstained is not None and reading.abstained.code == "quality"
