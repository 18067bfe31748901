"""`isocenter tasks`: what can be read, by which model, and how well it was measured."""

import json
from typing import Annotated

import typer

from isocenter.cli.read import Home


def tasks(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    home: Home = None,
) -> None:
    """List the reading tasks: input, columns, model, digest, measured performance and limits."""
    from isocenter.app.settings import load_settings
    from isocenter.app.task_list import describe_tasks

    rows = describe_tasks(load_settings(home).home)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        print(f"{row['name']}  ({row['input']})")
        print(f"    columns: {', '.join(row['columns'])}")
        for model in row["models"]:
            print(f"    model: {model['name']} {model['version']}  {model['digest']}")
            for figure in model["performance"]:
                print(f"        {figure}")
            for limit in model["limits"]:
                print(f"        limit: {limit}")
