from isocenter.core.reading import Abstention, Reading


def test_a_reading_without_findings_is_an_answer_too():
    assert Reading("chest-ct").findings == ()
    assert Reading("chest-ct").abstained is None
    assert Reading("chest-ct", abstained=Abstention("quality")).abstained == Abstention("quality")
