"""`isocenter rule` and `isocenter rules`: guidelines and risk models by hand."""

import json
from typing import Annotated

import typer


def rule(
    name: Annotated[str, typer.Argument(help="A rule from `isocenter rules`.")],
    inputs: Annotated[list[str] | None, typer.Option("--input", help="k=v, once per input.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Apply one guideline to given inputs; prints the category, its trace and its citation."""
    from isocenter.core.errors import InputError
    from isocenter.knowledge.rules import answers, apply_rule
    from isocenter.reporting.report_json import category_to_dict

    facts: dict[str, object] = {}
    for pair in inputs or []:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--input: expected k=v, got {pair!r}")
        facts[key] = _number_or_text(value)
    category = apply_rule(name, facts)
    if as_json:
        print(json.dumps({**category_to_dict(category), **answers(category)}, ensure_ascii=False, indent=2))
        return
    print(f"{category.rule}: {category.value or 'no answer'}  {' '.join(category.flags)}".rstrip())
    if category.texts:
        print(f"    {category.texts['en']}")
    for step in category.trace:
        print(f"    {step.term} = {step.value}: {step.effect}")
    print(f"    source: {category.source}\n    for physician review")


def _number_or_text(value: str) -> object:
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and "." not in value else number


def rules(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the guidelines and risk models with their sources."""
    from isocenter.knowledge.rules import list_rules

    rows = [{"name": r.id, "title": r.title, "source": r.source, "status": r.status} for r in list_rules()]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        print(f"{row['name']}: {row['title']} ({row['status']})\n    {row['source']}")
