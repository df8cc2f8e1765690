"""Results of calls on the list, as abstract values, and what may be given to their arguments."""

from collections.abc import Iterator, Sequence

from medseg.bundles.judgement.configs.abstract import (
    COUNT,
    NOTHING,
    NUMBER,
    PATH,
    PLAIN,
    TEXT,
    UNKNOWN,
    Either,
    Known,
    Listing,
    Many,
    Named,
    Of,
    Rooted,
    Table,
    Value,
    either,
    is_single,
    options,
    parts,
)
from medseg.bundles.judgement.configs.operations import items_of
from medseg.bundles.judgement.configs.syntax import Fault
from medseg.bundles.judgement.configs.texts import leads_out, shown
from medseg.bundles.judgement.rules import Argument

__all__ = ["astray", "given", "handed_on", "unfit"]

_DTYPES = frozenset(
    ["bool", "uint8", "uint16", "int8", "int16", "int32", "int64", "float", "float16", "float32",
     "float64", "double", "long", "int", "half", "bfloat16"]
)  # fmt: skip


_LISTS = frozenset(
    ["list of its items", "items in any order", "list of tuples", "list of numbered items"]
)


def given(gives: str, arguments: Sequence[Value]) -> Value | None:
    """What a call returns.

    Args:
        gives: Of its rule: a kind; `list of` one; or one of the words below, by which the result
            follows from the arguments.
        arguments: By position.

    Returns:
        None if it cannot be followed, which is a place.
    """
    first = arguments[0] if arguments else Listing(())
    if gives == "nothing":
        return NOTHING
    if gives == "root":
        return Rooted("")
    if gives == "first argument":
        return first
    if gives == "any argument":
        return either(arguments) if len(arguments) > 1 else items_of(first)
    if gives == "its text":
        return either(_text_of(option) for option in options(first))
    if gives in _LISTS:
        return _list_of(gives, first, arguments)
    if gives == "joined path":
        return _joined_path(arguments)
    kind = gives.removeprefix("list of ")
    return Many(Of(kind)) if kind != gives else Of(gives)


def _list_of(gives: str, first: Value, arguments: Sequence[Value]) -> Value | None:
    items = [items_of(argument) for argument in arguments]
    known = [item for item in items if item is not None]
    if len(known) < len(items):
        return None
    if gives == "list of tuples":
        return UNKNOWN if UNKNOWN in known else Many(Listing(tuple(known)))
    if gives == "list of numbered items":
        return UNKNOWN if UNKNOWN in known else Many(Listing((NUMBER, *known[:1])))
    if isinstance(first, Listing) and gives == "list of its items":
        return first
    return UNKNOWN if UNKNOWN in known else Many(known[0] if known else PLAIN)


def _text_of(value: Value) -> Value:
    if isinstance(value, Known):
        return Known(str(value.value))
    return value if isinstance(value, Rooted) or value in (PATH, UNKNOWN) else TEXT


def _joined_path(arguments: Sequence[Value]) -> Value | None:
    """As `os.path.join` does it: what is absolute replaces all before it."""
    path = arguments[0]
    for part in arguments[1:]:
        if UNKNOWN in (part, path):
            return UNKNOWN
        if isinstance(path, Either) or not (
            isinstance(part, Known) and isinstance(part.value, str)
        ):
            return TEXT
        if part.by_user or leads_out(part.value):
            return part
        if path == PATH or isinstance(path, Rooted) or (isinstance(path, Known) and path.by_user):
            path = Rooted(f"{path.tail if isinstance(path, Rooted) else ''}/{part.value}")
        elif isinstance(path, Known):
            path = Known(f"{path.value}/{part.value}")
        else:
            return TEXT
    return path


def astray(value: Value) -> str | None:
    """Where a value leads, if one of its texts does not stay where the bundle may go; in words."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        reason = _astray(here)
        if reason:
            return reason
        waiting.extend(parts(here))
    return None


def _astray(value: Value) -> str | None:
    if isinstance(value, Rooted):
        if value.tail and not value.tail.startswith(("/", "\\")):
            return f"a path beside the bundle's folder (...{shown(value.tail)})"
        reason = leads_out(value.tail.lstrip("/\\"))
        return reason and f"a path that leads {reason} (...{shown(value.tail)})"
    if isinstance(value, Known) and isinstance(value.value, str) and not value.by_user:
        reason = leads_out(value.value)
        return reason and f"{shown(value.value)!r}, which leads {reason}"
    return None


def handed_on(value: Value) -> Iterator[Fault]:
    """The fault of a key whose value has an imported function or module in it.

    Whatever takes the key's value, such as the steps of a preprocessing, calls what is in it.
    """
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Named):
            yield Fault("needs trust", f"hands on {here.name}, which is imported, to be called")
            return
        waiting.extend(parts(here))


def unfit(value: Value, argument: Argument) -> str | None:
    """Why an argument may not have a value; None if it may."""
    for option in options(value):
        if option == UNKNOWN:
            continue
        reason = _unfit(option, argument)
        if isinstance(option, Listing | Many) and argument.only != "single":
            reason = next(filter(None, (unfit(part, argument) for part in parts(option))), None)
        elif isinstance(option, Table) and reason is None:
            # A function within is called as well.
            within = argument if argument.only == "cases" else _ANY
            reason = next(filter(None, (unfit(part, within) for part in parts(option))), None)
        if reason:
            return reason
    return None


_ANY = Argument()


def _unfit(value: Value, argument: Argument) -> str | None:
    if isinstance(value, Named):
        return f"is given {value.name}, which medseg's rules do not list"
    if argument.one_of is not None and not _is_among(value, argument.one_of):
        return f"may only be {_words(argument.one_of)}"
    said = argument.bundle_may_say
    if said is not None and not _is_by_user(value) and not _is_among(value, said):
        return f"may be {_words(said)}; anything else is for the user to say"
    if argument.only == "single" and not is_single(value):
        return "may not be a list, whose text or number could take any memory"
    if argument.most is not None and not _is_at_most(value, argument.most):
        return f"has to be a number up to {argument.most}"
    if argument.only == "cases" and value in (PLAIN, TEXT):
        return "holds a text that cannot be followed: as a path it could lead anywhere"
    if argument.only == "dtype" and not _is_dtype(value):
        return "may only be a type of numbers"
    return _unfit_path(value, argument)


def _unfit_path(value: Value, argument: Argument) -> str | None:
    if argument.only == "path" and not _is_path(value):
        return "is a path that cannot be followed, so files could be read or written anywhere"
    if argument.ends is not None and not _ends(value, argument.ends):
        return f"has to be a path that ends in {argument.ends}"
    return None


def _is_dtype(value: Value) -> bool:
    return value == Of("dtype") or _is_among(value, (*_DTYPES, None))


def _is_among(value: Value, words: Sequence[object]) -> bool:
    if not isinstance(value, Known):
        return False
    return any(value.value == word and type(value.value) is type(word) for word in words)


def _is_by_user(value: Value) -> bool:
    return isinstance(value, Known) and value.by_user


def _is_path(value: Value) -> bool:
    if isinstance(value, Known):
        return value.value is None or isinstance(value.value, str)
    return isinstance(value, Rooted) or value == PATH


def _ends(value: Value, ending: str) -> bool:
    text = value.tail if isinstance(value, Rooted) else None
    if isinstance(value, Known):
        text = value.value
    return isinstance(text, str) and text.endswith(ending)


def _is_at_most(value: Value, most: int) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, int) and abs(value.value) <= most
    return value == COUNT


def _words(words: Sequence[object]) -> str:
    return " or ".join("null" if word is None else str(word) for word in words) or "nothing"
