"""What the guidelines for lung nodules ask about the patient, from `--context`."""

from dataclasses import dataclass

from isocenter.core.errors import InputError
from isocenter.reading.task import Case

RISKS = ("low", "high", "unknown")
_AGE_YEARS = (0.0, 130.0)


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """Facts that decide which guideline applies and what it says; None where nobody stated them.

    risk   of lung cancer: "low", "high" or "unknown"
    """

    age: float | None = None
    known_cancer: bool | None = None
    immunosuppressed: bool | None = None
    screening: bool | None = None
    risk: str = "unknown"

    @property
    def setting(self) -> str:
        """ "screening" where the scan is said to be one, else "incidental"."""
        return "screening" if self.screening else "incidental"

    def rule_inputs(self) -> dict[str, object]:
        """The stated facts as the rules take them."""
        facts = {name: getattr(self, name) for name in ("age", "known_cancer", "immunosuppressed", "screening")}
        return {name: value if name == "age" else int(value) for name, value in facts.items() if value is not None}


def patient_facts(case: Case) -> PatientFacts:
    """The facts of a case. Raises InputError, without repeating what was given, where one cannot be.

    age               years
    known_cancer      and immunosuppressed, screening: yes or no
    risk              low, high or unknown
    """
    age = case.number("age")
    if age is not None and not _AGE_YEARS[0] <= age <= _AGE_YEARS[1]:
        raise InputError("context age: expected 0 to 130 years, got something else; correct the context")
    risk = str(case.context.get("risk") or "unknown").strip().lower()
    if risk not in RISKS:
        raise InputError("context risk: expected low, high or unknown, got something else; correct the context")
    return PatientFacts(age, case.flag("known_cancer"), case.flag("immunosuppressed"), case.flag("screening"), risk)
