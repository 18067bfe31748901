"""Our codes as code sequence items."""

from typing import TYPE_CHECKING

from isocenter.core.finding import Category, Code, Measurement
from isocenter.knowledge.terms import list_terms

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# PS3.3 Table 8.8-1: CodeValue is SH (16 characters), CodeMeaning is LO (64).
_SHORT, _MEANING = 16, 64
OWN_SCHEME = "99ISO"


def code_item(code: Code) -> "Dataset":
    """A code sequence item; a value too long for CodeValue goes to LongCodeValue. Source: PS3.3 8.8."""
    from pydicom.dataset import Dataset

    item = Dataset()
    if len(code.value) <= _SHORT:
        item.CodeValue = code.value
    else:
        item.LongCodeValue = code.value
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = clip(code.meaning, _MEANING)
    return item


def clip(text: str, length: int) -> str:
    """The text, cut to what its value representation holds; counted in bytes, as the strictest readers do."""
    if len(text.encode()) <= length:
        return text
    return text.encode()[: length - 3].decode(errors="ignore") + "..."


def unit_code(unit: str) -> Code:
    """The UCUM code of a unit with its name."""
    known = list_terms().get(unit)
    return known.code if known and known.group == "units" else Code("UCUM", unit, unit.strip("{}") or unit)


def method_code(measurement: Measurement) -> Code:
    """How a measurement was made, as a code of ours: the standard's lists have none for most of our methods."""
    return Code(OWN_SCHEME, f"method-{measurement.name}", measurement.method)


def category_codes(category: Category) -> tuple[Code, Code]:
    """(which rule was asked, what it said), as codes of ours."""
    flags = f" ({', '.join(flag.replace('_', '-') for flag in category.flags)})" if category.flags else ""
    name = category.rule.replace("_", "-")
    value = category.value or "none"
    return (
        Code(OWN_SCHEME, name, f"Category by {name}"),
        Code(OWN_SCHEME, f"{name}:{value}".replace(" ", "-"), value + flags),
    )
