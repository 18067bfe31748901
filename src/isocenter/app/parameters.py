"""Options of a tool and the parameters of the function behind it: the signature is the one place that knows them."""

import inspect
import math
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from isocenter.core.errors import InputError, UnreadableError


def read_options(extra: Sequence[str], config: Path | None = None) -> dict[str, object]:
    """Parameters by name: those of a TOML file, with `--name value` options over them.

    extra   what the command line left over: `--sigma-mm 2`, `--sigma-mm=2`, `--flag`; a repeated option is a tuple

    >>> read_options(["--sigma-mm", "2", "--seed", "1,2,3", "--seed", "4,5,6", "--fast"])
    {'sigma_mm': '2', 'seed': ('1,2,3', '4,5,6'), 'fast': True}

    Raises InputError for a word that belongs to no option or a file that is not TOML.
    """
    given = dict(_read_toml(config)) if config else {}
    from_line: dict[str, object] = {}
    words = list(extra)
    while words:
        word = words.pop(0)
        if not word.startswith("--") or word == "--":
            raise InputError(f"options: expected --name value, got {word!r}; see --help")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        read: object = value
        if not equals:
            read = words.pop(0) if words and not words[0].startswith("--") else True
        before = from_line.get(name)
        if name in from_line:
            read = (*before, read) if isinstance(before, tuple) else (before, read)
        from_line[name] = read
    return {**given, **from_line}


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        return loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableError(f"{path}: expected a TOML file that can be read, got: {error.strerror}") from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected TOML, got: {str(error).splitlines()[0]}") from error


def call_with(function: Callable[..., Any], *values: object, given: Mapping[str, object]) -> Any:
    """What the function returns for the values and the given parameters, each converted to its annotated type.

    given   keyword-only parameters by name; texts as a command line gives them, or values as TOML does

    Raises InputError for a name that the function does not take, one that it needs, or a value of another type.
    """
    wanted = _parameters(function)
    given = {name.replace("-", "_"): value for name, value in given.items()}  # a file may spell them as the line does
    unknown = sorted(set(given) - set(wanted))
    if unknown:
        allowed = ", ".join(_flag(name) for name in wanted) or "none"
        raise InputError(f"{_flag(unknown[0])}: expected one of {allowed}; leave it out")
    missing = [
        name for name, (_, default) in wanted.items() if default is inspect.Parameter.empty and name not in given
    ]
    if missing:
        raise InputError(f"{_flag(missing[0])}: expected a value, got none; add {_flag(missing[0])} …")
    converted = {name: _convert(value, wanted[name][0], name) for name, value in given.items()}
    return function(*values, **converted)


def describe_parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """One line per option of the function: its name, type and default.

    >>> def blur(volume, *, sigma_mm: float = 1.0): ...
    >>> describe_parameters(blur)
    ('--sigma-mm FLOAT (1.0)',)
    """
    lines = []
    for name, (hint, default) in _parameters(function).items():
        shown = "required" if default is inspect.Parameter.empty else "from the image" if default is None else default
        lines.append(f"{_flag(name)} {_name_of(hint)} ({shown})")
    return tuple(lines)


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Keyword-only parameters: name -> (annotation, default)."""
    hints = get_type_hints(function)
    return {
        name: (hints.get(name, str), parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _convert(value: object, hint: Any, name: str) -> Any:
    """The value as the annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert_to_first(value, arguments, name)
    if origin is Literal:
        if str(value) not in map(str, arguments):
            raise InputError(f"{_flag(name)}: expected one of {', '.join(map(str, arguments))}, got {value!r}")
        return next(allowed for allowed in arguments if str(allowed) == str(value))
    if origin in (tuple, list, Sequence):
        return _convert_many(value, hint, name)
    if origin is Mapping or hint is Mapping:
        if not isinstance(value, Mapping):
            raise InputError(f"{_flag(name)}: expected a table of a TOML file, got {value!r}; use --config")
        return value
    return _convert_one(value, hint, name)


def _convert_to_first(value: object, hints: tuple[Any, ...], name: str) -> Any:
    """The value as the first of several types that takes it."""
    if value is None and type(None) in hints:
        return None
    errors = []
    for hint in (each for each in hints if each is not type(None)):
        try:
            return _convert(value, hint, name)
        except InputError as error:
            errors.append(error)
    raise errors[0]


def _convert_many(value: object, hint: Any, name: str) -> Any:
    """A text of numbers with commas, a TOML list or repeated options as a tuple."""
    arguments = get_args(hint)
    is_open = get_origin(hint) is not tuple or (len(arguments) == 2 and arguments[1] is Ellipsis)
    inner_is_many = get_origin(arguments[0]) in (tuple, list, Sequence)
    if isinstance(value, str):
        parts: list[object] = [value] if inner_is_many else [part.strip() for part in value.split(",")]
    elif isinstance(value, Sequence):
        parts = list(value)
        if inner_is_many and parts and not isinstance(parts[0], str | Sequence):
            parts = [parts]  # one point of a TOML file where several are welcome
    else:
        parts = [value]
    if is_open:
        return tuple(_convert(part, arguments[0], name) for part in parts)
    if len(parts) != len(arguments):
        raise InputError(f"{_flag(name)}: expected {len(arguments)} values with commas between, got {len(parts)}")
    return tuple(_convert(part, inner, name) for part, inner in zip(parts, arguments, strict=True))


def _convert_one(value: object, hint: Any, name: str) -> Any:
    """A single number, text, path or yes/no."""
    if hint is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if isinstance(value, bool) or str(value).lower() in words:
            return value if isinstance(value, bool) else words[str(value).lower()]
    elif hint in (int, float) and not isinstance(value, bool):
        try:
            number = hint(value)
            if not math.isnan(number):
                return number
        except (TypeError, ValueError, OverflowError):
            pass
    elif hint in (str, Path) and isinstance(value, str):
        return hint(value)
    elif hint is object or hint is Any:
        return value
    raise InputError(f"{_flag(name)}: expected {_name_of(hint).lower()}, got {value!r}")


def _name_of(hint: Any) -> str:
    """A type as the help names it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return "|".join(_name_of(each) for each in arguments if each is not type(None))
    if origin in (tuple, list, Sequence):
        inner = [_name_of(each) for each in arguments if each is not Ellipsis]
        return ",".join(inner) + (",…" if len(inner) == 1 else "")
    names = {int: "INTEGER", float: "FLOAT", str: "TEXT", Path: "FILE", bool: "true|false"}
    return names.get(hint, "TABLE")
