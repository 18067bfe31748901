"""A guideline applied: inputs in, a category with its trace out. A missing input is never read as zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from isocenter.core.errors import InputError
from isocenter.core.finding import Category, TraceStep
from isocenter.knowledge.calculators import FORMULAS
from isocenter.knowledge.guideline import Guideline, Row, RuleInput, Value, Where, guideline_names, load_guideline

SYMBOLS = {"at_least": ">=", "above": ">", "below": "<", "at_most": "<="}


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: str
    management: str = ""
    steps: tuple[TraceStep, ...] = ()
    limits: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def list_rules() -> tuple[Guideline, ...]:
    """Every guideline and formula in the package, sorted by id."""
    return tuple(load_guideline(name) for name in guideline_names())


def rule_details(name: str) -> Guideline:
    """One guideline as its data file states it. Raises InputError for an unknown name."""
    return load_guideline(name)


def apply_rule(name: str, inputs: Mapping[str, object]) -> Category:
    """What a guideline says of these inputs, with the trace of how it got there.

    An input that the answer needs and that is not there (or None) gives value "" and one flag `missing:<input>` each.
    Outside the guideline's population the answer carries the flag `out_of_scope`.

    >>> apply_rule("lung_rads_2022", {"kind": "solid", "d": 6.0}).value
    '3'
    >>> apply_rule("lung_rads_2022", {"kind": "solid"}).flags
    ('missing:d',)

    Raises InputError for an unknown rule or input, or a value of the wrong kind or out of its range.
    """
    rule = load_guideline(name)
    given = {key: _read(rule.id, rule.input(key), value) for key, value in inputs.items() if value is not None}
    values = {spec.name: spec.default for spec in rule.inputs if spec.default is not None} | given
    scope, scope_flags = _scope(rule, values)
    outcome = _by_formula(rule, values) if rule.formula else _by_table(rule, values)
    flags = (*rule.flags, *scope_flags, *outcome.flags, *(f"missing:{name}" for name in outcome.missing))
    if rule.status == "unverified":
        flags = (*flags, "unverified")
    return Category(
        rule=rule.id,
        value=outcome.value,
        trace=(*_input_steps(rule, values, given), *scope, *outcome.steps),
        source=rule.source,
        management=outcome.management,
        texts=rule.texts.get(outcome.management, {}),
        limits=outcome.limits,
        flags=flags,
    )


def answers(category: Category) -> Mapping[str, str | float]:
    """The category's value by the name its rule gives it ("category", "score", "weeks"); a formula's as a number.

    >>> answers(apply_rule("agatston_lesion", {"area_mm2": 8, "peak_hu": 400, "increment_mm": 3}))
    {'score': 32.0}
    """
    rule = load_guideline(category.rule)
    is_number = bool(rule.formula and category.value)
    return {rule.output: float(category.value) if is_number else category.value}


def _read(rule: str, spec: RuleInput, value: object) -> Value:
    """The value as the rule counts it: the right kind, in range, rounded half up where the guideline rounds."""
    if spec.kind == "choice":
        if str(value) not in spec.choices:
            raise InputError(f"rule {rule}, {spec.name}: expected one of {', '.join(spec.choices)}; got another word")
        return str(value)
    try:
        number = Decimal(str(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"rule {rule}, {spec.name}: expected a number, got something else") from error
    if not number.is_finite():
        raise InputError(f"rule {rule}, {spec.name}: expected a finite number, got another")
    if spec.kind == "flag":
        if number not in (0, 1):
            raise InputError(f"rule {rule}, {spec.name}: expected 0 or 1, got another number")
        return int(number)
    low, high = spec.range or (float("-inf"), float("inf"))
    if not low <= number <= high:
        raise InputError(f"rule {rule}, {spec.name}: expected {low:g} to {high:g} {spec.unit}, got {number}")
    if spec.decimals is not None:
        number = number.quantize(Decimal(1).scaleb(-spec.decimals), rounding=ROUND_HALF_UP)
    return float(number)


def _input_steps(rule: Guideline, values: Mapping[str, Value], given: Mapping[str, Value]) -> tuple[TraceStep, ...]:
    steps = []
    for spec in rule.inputs:
        if spec.name not in values:
            continue
        effect = "given" if spec.name in given else "assumed: not stated"
        if spec.name in given and spec.decimals is not None:
            effect = f"rounded half up to {spec.decimals} decimals"
        steps.append(TraceStep(spec.name, _with_unit(values[spec.name], spec), effect))
    return tuple(steps)


def _scope(rule: Guideline, values: Mapping[str, Value]) -> tuple[tuple[TraceStep, ...], tuple[str, ...]]:
    """The exclusions that hold, or that nobody can check, as steps and flags."""
    steps, flags = [], []
    for exclusion in rule.excludes:
        refuted, unknown = _judge(exclusion.where, values)
        if unknown and not refuted:
            steps.append(TraceStep("scope", ", ".join(unknown), f"not checked: {exclusion.reason}"))
        elif not refuted:
            steps.append(TraceStep("scope", "outside", exclusion.reason))
            flags.append("out_of_scope")
    return tuple(steps), tuple(dict.fromkeys(flags))


def _by_table(rule: Guideline, values: Mapping[str, Value]) -> _Outcome:
    """The first row that holds; nothing where a row before it may hold but for an input that is missing."""
    missing: list[str] = []
    for row in rule.rows:
        refuted, unknown = _judge(row.where, values)
        if refuted:
            continue
        if unknown:
            missing += unknown
        elif not missing:
            return _matched(rule, row, values)
        else:
            break
    if missing:
        names = tuple(dict.fromkeys(missing))
        return _Outcome("", steps=(TraceStep("result", "", f"no answer: {', '.join(names)} missing"),), missing=names)
    return _Outcome("", steps=(TraceStep("result", "", "no row of the table holds"),), flags=("no_category",))


def _matched(rule: Guideline, row: Row, values: Mapping[str, Value]) -> _Outcome:
    rows = [row, *(suffix for suffix in rule.suffixes if _judge(suffix.where, values) == (False, ()))]
    steps, limits = [], []
    for part in rows:
        for name, condition in part.where.items():
            text, numbers = _condition(rule.input(name), condition)
            steps.append(TraceStep(name, _with_unit(values[name], rule.input(name)), text))
            limits += numbers
    value = "".join(part.value for part in rows)
    steps.append(TraceStep(rule.output, value, row.note or f"{rule.title}: {value}"))
    return _Outcome(value, row.management, tuple(steps), tuple(dict.fromkeys(limits)))


def _by_formula(rule: Guideline, values: Mapping[str, Value]) -> _Outcome:
    missing = tuple(spec.name for spec in rule.inputs if spec.name not in values)
    if missing:
        step = TraceStep("result", "", f"no answer: {', '.join(missing)} missing")
        return _Outcome("", steps=(step,), missing=missing)
    answer = FORMULAS[rule.formula](values)
    steps = tuple(TraceStep(*step) for step in answer.steps)
    return _Outcome(answer.value, answer.management, steps, answer.limits, flags=answer.flags)


def _judge(where: Where, values: Mapping[str, Value]) -> tuple[bool, tuple[str, ...]]:
    """Whether a known input refutes the condition, and which inputs it still needs."""
    unknown = tuple(name for name in where if name not in values)
    refuted = any(name in values and not _holds(values[name], condition) for name, condition in where.items())
    return refuted, unknown


def _holds(value: Value, condition: object) -> bool:
    if not isinstance(condition, Mapping):
        return value == condition
    if "one_of" in condition and value not in condition["one_of"]:
        return False
    tests = {
        "at_least": lambda limit: float(value) >= limit,
        "above": lambda limit: float(value) > limit,
        "below": lambda limit: float(value) < limit,
        "at_most": lambda limit: float(value) <= limit,
    }
    return all(tests[bound](limit) for bound, limit in condition.items() if bound in tests)


def _condition(spec: RuleInput, condition: object) -> tuple[str, list[str]]:
    """The condition in words, and its numbers with their unit."""
    if not isinstance(condition, Mapping):
        return f"is {condition}", []
    if "one_of" in condition:
        return f"is one of {', '.join(map(str, condition['one_of']))}", []
    numbers = [_with_unit(limit, spec) for limit in condition.values()]
    return " and ".join(f"{SYMBOLS[bound]} {n}" for bound, n in zip(condition, numbers, strict=True)), numbers


def _with_unit(value: object, spec: RuleInput) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {spec.unit}" if spec.unit and spec.unit != "1" else text
