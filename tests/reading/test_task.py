import pytest

from isocenter.core.errors import InputError
from isocenter.reading.task import Case
from isocenter.zoo.predict import Models


def test_facts_are_read_as_what_they_should_be():
    case = Case(Models(), {"age": "61", "screening": "yes", "risk": "", "smoker": True})
    assert case.number("age") == 61
    assert case.flag("screening") is True and case.flag("smoker") is True
    assert case.number("risk") is None and case.flag("unknown") is None


def test_a_fact_of_the_wrong_kind_is_an_error_that_does_not_repeat_it():
    case = Case(Models(), {"age": "Jane Doe", "screening": "perhaps"})
    with pytest.raises(InputError) as error:
        case.number("age")
    assert "Jane" not in str(error.value)
    with pytest.raises(InputError, match="yes or no"):
        case.flag("screening")
