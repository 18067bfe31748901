"""The few formulas that a table cannot hold; each names its source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from isocenter.core.errors import InputError

HADLOCK_HC_MM: Final = (89.5, 357.0)
# (largest head circumference in mm, two standard deviations in weeks); the last band is second hand and unverified.
HADLOCK_TWO_SD_WEEKS: Final = ((144.0, 1.19), (219.0, 1.48), (280.0, 2.06), (325.0, 2.98), (357.0, 3.20))
AGATSTON_REFERENCE_MM: Final = 3.0
AGATSTON_MIN_AREA_MM2: Final = 1.0


@dataclass(frozen=True, slots=True)
class GestationalAge:
    """Menstrual age with the spread that the source states.

    weeks           completed and fractional weeks
    two_sd_weeks    half width of the range that holds about 95 % of normal fetuses
    """

    weeks: float
    two_sd_weeks: float

    @property
    def range_weeks(self) -> tuple[float, float]:
        """From two standard deviations below to two above."""
        return self.weeks - self.two_sd_weeks, self.weeks + self.two_sd_weeks

    @property
    def weeks_and_days(self) -> tuple[int, int]:
        """Whole weeks and the days over, rounded to the nearest day."""
        return divmod(int(self.weeks * 7 + 0.5), 7)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a formula gives to the rule engine: the printed value and its steps (term, value, effect)."""

    value: str
    steps: tuple[tuple[str, str, str], ...]
    management: str = ""
    limits: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def gestational_age_weeks(hc_mm: float) -> GestationalAge | None:
    """Menstrual age from the head circumference; None outside the range that the formula was made for.

    hc_mm   outer circumference of the skull; the formula holds from 89.5 to 357 mm (14 to 42 weeks)

    >>> round(gestational_age_weeks(250.0).weeks, 2)
    27.15

    Source: Hadlock FP, Deter RL, Harrist RB, Park SK. Radiology 1984;152:497-501: 8.96 + 0.540 HC + 0.0003 HC^3 with
    HC in cm.
    The spread by circumference is a vendor's table of the same paper.
    """
    if not hc_mm > 0:
        raise InputError(f"head circumference: expected a positive number of mm, got {hc_mm!r}")
    if not HADLOCK_HC_MM[0] <= hc_mm <= HADLOCK_HC_MM[1]:
        return None
    hc_cm = hc_mm / 10
    two_sd_weeks = next(spread for largest_mm, spread in HADLOCK_TWO_SD_WEEKS if hc_mm <= largest_mm)
    return GestationalAge(8.96 + 0.540 * hc_cm + 0.0003 * hc_cm**3, two_sd_weeks)


def agatston_weight(peak_hu: float) -> int:
    """The density factor of one lesion in one slice: 0 below 130 HU, then 1, 2, 3, and 4 from 400 HU.

    >>> [agatston_weight(hu) for hu in (129, 130, 199, 200, 300, 399, 400)]
    [0, 1, 1, 2, 3, 3, 4]

    Source: Agatston AS et al. J Am Coll Cardiol 1990;15:827-832.
    """
    return sum(peak_hu >= limit_hu for limit_hu in (130, 200, 300, 400))


def agatston_lesion_score(area_mm2: float, peak_hu: float, *, increment_mm: float) -> float:
    """What one lesion in one slice adds to the Agatston score; lesions below 1 mm² add nothing.

    peak_hu        the largest value of that lesion in that slice
    increment_mm   distance between slices; the score was defined on 3 mm, other increments scale by increment / 3

    >>> agatston_lesion_score(8, 400, increment_mm=3)
    32.0

    Source: Agatston AS et al. J Am Coll Cardiol 1990;15:827-832; scaling by increment as in the calcium consortium's
    physical standard, McCollough CH et al. Radiology 2007;243:527-538.
    """
    if area_mm2 < AGATSTON_MIN_AREA_MM2:
        return 0.0
    return area_mm2 * agatston_weight(peak_hu) * increment_mm / AGATSTON_REFERENCE_MM


def agatston_score(lesions: list[tuple[float, float]], *, increment_mm: float) -> float:
    """The Agatston score of a scan: the sum over slices and lesions.

    lesions   (area_mm2, peak_hu) of each connected lesion in each slice

    >>> agatston_score([(8, 400), (8, 400)], increment_mm=1.5)
    32.0

    Source: as agatston_lesion_score.
    """
    return float(sum(agatston_lesion_score(area, peak, increment_mm=increment_mm) for area, peak in lesions))


def _gestational_age(values: Mapping[str, object]) -> Answer:
    hc_mm = float(str(values["hc_mm"]))
    age = gestational_age_weeks(hc_mm)
    if age is None:
        smallest, largest = (f"{limit:g} mm" for limit in HADLOCK_HC_MM)
        step = ("hc_mm", f"{hc_mm:g} mm", f"outside {smallest} to {largest}: no age is given")
        return Answer("", (step,), "outside", (smallest, largest, "14 wk", "42 wk"), ("out_of_scope",))
    hc_cm = hc_mm / 10
    low, high = age.range_weeks
    steps = (
        ("constant", "1", "+8.96 weeks"),
        ("0.540 * HC", f"{hc_cm:g} cm", f"+{0.540 * hc_cm:.2f} weeks"),
        ("0.0003 * HC^3", f"{hc_cm:g} cm", f"+{0.0003 * hc_cm**3:.2f} weeks"),
        ("two standard deviations", f"{age.two_sd_weeks:g} weeks", f"{low:.2f} to {high:.2f} weeks"),
    )
    limits = (f"{age.two_sd_weeks:.1f} wk", f"{low:.1f} wk", f"{high:.1f} wk")
    flags = ("spread_unverified",) if hc_mm > HADLOCK_TWO_SD_WEEKS[-2][0] else ()
    return Answer(f"{age.weeks:.2f}", steps, "age", limits, flags)


def _agatston_lesion(values: Mapping[str, object]) -> Answer:
    area_mm2, peak_hu, increment_mm = (float(str(values[name])) for name in ("area_mm2", "peak_hu", "increment_mm"))
    score = agatston_lesion_score(area_mm2, peak_hu, increment_mm=increment_mm)
    steps = (
        ("area", f"{area_mm2:g} mm2", "counts" if area_mm2 >= AGATSTON_MIN_AREA_MM2 else "below 1 mm2: does not count"),
        ("density weight", f"{peak_hu:g} HU", f"x {agatston_weight(peak_hu)}"),
        ("slice increment", f"{increment_mm:g} mm", f"x {increment_mm / AGATSTON_REFERENCE_MM:g}"),
        ("score", f"{score:g}", "area x weight x increment / 3 mm"),
    )
    return Answer(f"{score:.6g}", steps, limits=("1 mm2", "130 HU", "3 mm"))


FORMULAS: Final[Mapping[str, Callable[[Mapping[str, object]], Answer]]] = {
    "gestational_age": _gestational_age,
    "agatston_lesion": _agatston_lesion,
}
