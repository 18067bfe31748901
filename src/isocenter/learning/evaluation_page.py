"""An evaluation as one self-contained page."""

import html
from collections.abc import Mapping, Sequence
from typing import Any


def render_page(result: Mapping[str, Any]) -> str:
    """The figures as one self-contained page."""
    parts = [_table("Figures", result["figures"])]
    if "confusion" in result:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in result["classes"])
        body = "".join(
            f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{n}</td>' for n in row)}</tr>"
            for name, row in zip(result["classes"], result["confusion"], strict=True)
        )
        parts.append(f"<h2>Confusion (rows: truth)</h2><table><tr><th></th>{head}</tr>{body}</table>")
        parts += [_curve(f"ROC {name}", points) for name, points in result["roc"].items()]
        parts.append(_curve("Reliability", [row[:2] for row in result["reliability"]]))
    parts += [_table(name, figures) for name, figures in result["subgroups"].items()]
    title = html.escape(
        f"{result['model']['name']} {result['model']['version']} on {result['data']}, n = {result['n']}"
    )
    style = (
        "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #999;padding:4px}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )


def _table(name: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Figures with their intervals as a table."""
    rows = "".join(
        f"<tr><th>{html.escape(key)}</th><td>{_number(each, 'value')}</td>"
        f"<td>{_number(each, 'low')} to {_number(each, 'high')}</td><td>{each['n']}</td></tr>"
        for key, each in figures.items()
    )
    header = "<tr><th></th><th>value</th><th>95 % interval</th><th>n</th></tr>"
    return f"<h2>{html.escape(name)}</h2><table>{header}{rows}</table>"


def _number(estimate: Mapping[str, float], key: str) -> str:
    """A figure's number, four digits."""
    return f"{estimate[key]:.4g}"


def _curve(name: str, points: Sequence[Sequence[float]]) -> str:
    """Points in the unit square as a small drawing."""
    places = " ".join(f"{10 + 180 * x:.1f},{190 - 180 * y:.1f}" for x, y in points)
    frame = '<rect x="10" y="10" width="180" height="180" fill="none" stroke="#999"/>'
    line = f'<polyline points="{places}" fill="none" stroke="#036"/>'
    return f'<h2>{html.escape(name)}</h2><svg width="200" height="200">{frame}{line}</svg>'
