import pytest

from isocenter.core.errors import InputError
from isocenter.reading.chest.patient_facts import PatientFacts, patient_facts
from isocenter.reading.task import Case
from isocenter.zoo.predict import Models


def _facts(**context):
    return patient_facts(Case(Models(), context))


def test_nothing_stated_is_nothing_known():
    assert _facts() == PatientFacts()
    assert _facts().rule_inputs() == {}
    assert _facts().setting == "incidental"


@pytest.mark.parametrize("yes", ["yes", "true", "1", 1, True, "YES"])
def test_a_yes_is_a_yes_however_it_is_written(yes):
    facts = _facts(screening=yes, age="61", risk="High")
    assert facts.setting == "screening"
    assert facts.risk == "high"
    assert facts.rule_inputs() == {"age": 61.0, "screening": 1}


def test_a_no_is_stated_too():
    assert _facts(known_cancer="no").rule_inputs() == {"known_cancer": 0}


@pytest.mark.parametrize("bad", [{"age": "Zebra77"}, {"age": 777}, {"screening": "Zebra77"}, {"risk": "Zebra77"}])
def test_a_bad_fact_is_refused_without_repeating_it(bad):
    with pytest.raises(InputError) as error:
        _facts(**bad)
    assert not any(word in str(error.value) for word in ("Zebra", "777"))
    assert next(iter(bad)) in str(error.value)
