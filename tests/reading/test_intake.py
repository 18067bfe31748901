import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.reading.tasks.intake import TASK, picture_term


def test_a_known_picture_is_named_with_its_site(blobs, case_seeing):
    reading = TASK.read(Volume(blobs[np.newaxis], Grid.of_pixels((1, 96, 96))), case_seeing("HeadCT"))
    (finding,) = reading.findings
    assert finding.code.meaning == "Computed tomography of head"
    assert list(reading.predictions) == list(TASK.columns)


def test_a_foreign_or_routed_picture_is_no_answer_of_intake(blobs, case_seeing):
    for seen, code in (("foreign", "out-of-distribution"), ("BreastUS", "wrong-content")):
        reading = TASK.read(Volume(blobs[np.newaxis], Grid.of_pixels((1, 96, 96))), case_seeing(seen))
        assert reading.abstained is not None and reading.abstained.code == code
        assert reading.findings == ()


def test_every_class_has_a_term():
    assert picture_term("CXR") == "chest-xray"
    assert picture_term("foreign") == "foreign-picture"
