"""Operations on abstract values: what `+`, `[...]` and the like give, as far as it is known."""

import ast
from collections.abc import Collection
from itertools import product

from medseg.bundles.judgement.configs.abstract import (
    COUNT,
    FLAG,
    NEVER,
    NUMBER,
    PATH,
    PLAIN,
    TEXT,
    UNKNOWN,
    Known,
    Listing,
    Many,
    Rooted,
    Table,
    TooLargeError,
    Value,
    either,
    options,
    parts,
)
from medseg.bundles.judgement.configs.syntax import MOST_NUMBER, Fault
from medseg.bundles.judgement.configs.texts import leads_out

__all__ = ["binary", "bindings", "item", "items_of", "sliced"]

MOST_TEXT = 2_000
MOST_ITEMS = 10_000
_MOST_PRODUCTS = 256
_SEPARATORS = frozenset("/\\:")


def binary(operator: ast.operator, left: Value, right: Value) -> Value | None:
    """What `left operator right` gives; None if that is not on the list."""
    pairs = list(product(options(left), options(right)))
    if len(pairs) > _MOST_PRODUCTS:
        pairs = [(PLAIN, PLAIN)]
    results = [_binary(operator, *pair) for pair in pairs]
    known = [result for result in results if result is not None]
    return either(known) if len(known) == len(results) else None


def _binary(operator: ast.operator, left: Value, right: Value) -> Value | None:
    if UNKNOWN in (left, right):
        return UNKNOWN
    if _is_number(left) and _is_number(right):
        return _numbers(operator, left, right)
    if isinstance(operator, ast.Add):
        return _added(left, right)
    if isinstance(operator, ast.Mult):
        return _repeated(left, right) or _repeated(right, left)
    if isinstance(operator, ast.Div):
        return _path_below(left, right)
    return None


def _is_number(value: Value) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, int | float)
    return value in (NUMBER, COUNT, FLAG, PLAIN)


def _numbers(operator: ast.operator, left: Value, right: Value) -> Value | None:
    if PLAIN in (left, right):
        # Text and lists have + too, and any length with *.
        return PLAIN if isinstance(operator, ast.Add) and left == right else None
    if not (isinstance(left, Known) and isinstance(right, Known)):
        return _counted(operator, left, right)
    a, b = left.value, right.value
    if not (isinstance(a, int | float) and isinstance(b, int | float)):
        return None
    try:
        result = _calculated(operator, a, b)
    except (ZeroDivisionError, OverflowError):
        return NUMBER
    if abs(result) > MOST_NUMBER:
        raise TooLargeError
    return Known(result, left.by_user or right.by_user)


def _counted(operator: ast.operator, left: Value, right: Value) -> Value:
    """A length, and a little more or less, is still one; other numbers are unknown."""
    few = all(
        value == COUNT or (isinstance(value, Known) and abs(_number(value)) <= MOST_ITEMS)
        for value in (left, right)
    )
    return COUNT if few and isinstance(operator, ast.Add | ast.Sub | ast.FloorDiv) else NUMBER


def _number(value: Known) -> float:
    return value.value if isinstance(value.value, int | float) else MOST_NUMBER


def _calculated(operator: ast.operator, a: float, b: float) -> float:
    if isinstance(operator, ast.Add):
        return a + b
    if isinstance(operator, ast.Sub):
        return a - b
    if isinstance(operator, ast.Mult):
        return a * b
    if isinstance(operator, ast.Div):
        return a / b
    return a // b if isinstance(operator, ast.FloorDiv) else a % b


def _added(left: Value, right: Value) -> Value | None:
    if _is_text(left) and _is_text(right):
        return _joined(left, right)
    if isinstance(left, Listing) and isinstance(right, Listing):
        return Listing(left.values + right.values)
    if isinstance(left, Listing | Many) and isinstance(right, Listing | Many):
        values = parts(left) + parts(right)
        times = sum(side.times for side in (left, right) if isinstance(side, Many))
        return Many(either(values), times) if values else Listing(())
    # Texts, or lists of plain data: of neither is anything known.
    plain = all(_is_text(side) or side == PLAIN for side in (left, right))
    stays = plain and PLAIN in (left, right) and _stays(left, right)
    return PLAIN if stays else None


def _is_text(value: Value) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, str)
    return isinstance(value, Rooted) or value in (TEXT, PATH)


def _joined(left: Value, right: Value) -> Value | None:
    if isinstance(right, Known):
        text = str(right.value)
        if isinstance(left, Known) and left.by_user and not right.by_user:
            # The user's folder, and what the bundle adds to it.
            return Rooted(f"/{text}" if str(left.value).endswith("/") else text)
        if isinstance(left, Known):
            whole = str(left.value) + text
            if len(whole) > MOST_TEXT:
                raise TooLargeError
            return Known(whole, left.by_user and right.by_user)
        if isinstance(left, Rooted):
            return Rooted(left.tail + text)
        if left == PATH:
            return Rooted(text)
    return TEXT if _stays(left, right) else None


def _stays(left: Value, right: Value) -> bool:
    """Whether a text of which a part is not known leads nowhere; that part may be empty or a dot.

    On its own it is a name or a number, without separators.
    """
    known = [str(side.value) for side in (left, right) if isinstance(side, Known)]
    dots = any(text and not text.strip(". ") for text in known)
    # `cuda:` becomes no address by a name.
    away = any(leads_out(f"{text}0" if text.endswith(":") else text) for text in known)
    several = not known and not isinstance(left, Rooted)
    behind = isinstance(right, Known) and bool(_SEPARATORS.intersection(str(right.value)))
    return not (dots or away or several or behind)


def _repeated(left: Value, right: Value) -> Value | None:
    """A list or text, so many times."""
    count = right.value if isinstance(right, Known) else None
    if isinstance(left, Known) and isinstance(left.value, str) and isinstance(count, int):
        if len(left.value) * count > MOST_TEXT:
            raise TooLargeError
        return Known(left.value * count)
    if isinstance(left, Listing):
        if isinstance(count, int):
            if len(left.values) * count > MOST_ITEMS:
                raise TooLargeError
            return Listing(left.values * count) if len(left.values) * count < 100 else _many(left)
        # A length, such as of the names of classes.
        return _many(left) if right == COUNT else None
    return None


def _many(value: Listing) -> Value:
    return Many(either(value.values)) if value.values else value


def _path_below(left: Value, right: Value) -> Value | None:
    if left == PATH and isinstance(right, Known) and isinstance(right.value, str):
        return Rooted(f"/{right.value}")
    return None


def item(value: Value, key: Value) -> Value | None:
    """What `value[key]` gives; None if that is not on the list."""
    results = [_item(one, choice) for one in options(value) for choice in options(key)]
    known = [result for result in results if result is not None]
    return either(known) if len(known) == len(results) else None


def _item(value: Value, key: Value) -> Value | None:
    if UNKNOWN in (value, key):
        return UNKNOWN
    if isinstance(value, Listing):
        return _item_of_list(value, key)
    if isinstance(value, Many):
        return value.value
    if isinstance(value, Table):
        found = [
            held
            for name, held in value.pairs
            # To Python, 1, 1.0 and True are one key.
            if not (isinstance(key, Known) and isinstance(name, Known)) or name.value == key.value
        ]
        return either(found) if found else None
    # A letter of a text could be any, such as that of a root.
    return PLAIN if value == PLAIN else None


def _item_of_list(value: Listing, key: Value) -> Value | None:
    if isinstance(key, Known) and isinstance(key.value, int):
        inside = -len(value.values) <= key.value < len(value.values)
        return value.values[key.value] if inside else None
    return either(value.values) if value.values and key in (NUMBER, COUNT, FLAG, PLAIN) else None


def sliced(value: Value) -> Value | None:
    """What `value[a:b]` gives, wherever a and b are."""
    results: list[Value] = []
    for one in options(value):
        if isinstance(one, Listing):
            results.append(_many(one))
        elif isinstance(one, Many) or one in (PLAIN, UNKNOWN):
            results.append(one)
        else:
            return None
    return either(results)


def items_of(value: Value) -> Value | None:
    """What a loop over a value gives one after another; None if that is not on the list."""
    results: list[Value] = []
    for one in options(value):
        if isinstance(one, Listing):
            results.extend(one.values)
        elif isinstance(one, Many):
            results.append(one.value)
        elif isinstance(one, Table):
            results.extend(key for key, _ in one.pairs)
        elif one in (PLAIN, UNKNOWN):
            results.append(one)
        else:
            return None
    return either(results) if results or value == NEVER else PLAIN


def bindings(
    target: ast.expr, value: Value, taken: Collection[str]
) -> tuple[dict[str, Value], list[Fault]]:
    """The names of a loop, with what they stand for, and why they are not on the list."""
    if isinstance(target, ast.Name):
        if target.id in taken or target.id.startswith("_"):
            fault = Fault("refused", f"gives the name {target.id} another meaning")
            return {target.id: value}, [fault]
        return {target.id: value}, []
    if not isinstance(target, ast.Tuple):
        return {}, [Fault("refused", "loops into something else than names")]
    bound: dict[str, Value] = {}
    faults: list[Fault] = []
    for position, part in enumerate(target.elts):
        held = item(value, Known(position))
        if held is None:
            faults.append(Fault("needs trust", "loops over parts that cannot be told apart"))
        inner, further = bindings(part, UNKNOWN if held is None else held, taken)
        bound |= inner
        faults += further
    return bound, faults
