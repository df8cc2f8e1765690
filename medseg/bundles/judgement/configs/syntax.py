"""Syntax of an expression: read to a tree, and held to a list of what it may be made of."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from medseg.bundles.judgement.configs.references import LOCAL
from medseg.bundles.judgement.configs.texts import hidden_letter, strange_name
from medseg.bundles.judgement.verdict import Grade, Slip

__all__ = ["Fault", "Import", "bound_names", "is_reference", "read_expression"]

MOST_CHARACTERS = 2_000
MOST_LEVELS = 40
MOST_NUMBER = 10**15
_DUNDERS = "reaches into Python's inner workings, from where any code can be run"

_ALLOWED = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Call,
    ast.keyword, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.BinOp,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.UnaryOp, ast.USub, ast.UAdd,
    ast.Not, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.IfExp, ast.ListComp, ast.DictComp,
    ast.SetComp, ast.GeneratorExp, ast.comprehension,
)  # fmt: skip
_WORDS = {
    ast.Lambda: "defines a function (lambda), whose calls cannot be followed",
    ast.NamedExpr: "names a value within an expression (:=)",
    ast.JoinedStr: "puts values into a text (f-string), which can reach into them",
    ast.Starred: "unpacks a value (*) whose parts cannot be followed",
    ast.Pow: "raises to a power (**), which can take any memory and time",
    ast.LShift: "shifts a number (<<), which can take any memory and time",
    ast.MatMult: "uses @ as an operator",
    ast.Await: "waits for other code",
    ast.Yield: "is a generator",
    ast.YieldFrom: "is a generator",
}


@dataclass(frozen=True)
class Fault:
    """Why an expression is not on the list."""

    grade: Grade
    reason: str
    slip: Slip | None = None


@dataclass(frozen=True)
class Import:
    """An import statement: what the name then stands for."""

    name: str
    means: str


def read_expression(source: str) -> tuple[ast.expr | Import | None, list[Fault]]:
    """Read an expression, with references in place.

    Args:
        source: What Python would read, without `$`.

    Returns:
        Its tree, if it has one, and why it is made of more than what is on the list.
    """
    if len(source) > MOST_CHARACTERS:
        return None, [Fault("refused", f"an expression longer than {MOST_CHARACTERS:,} characters")]
    letter = hidden_letter(source) or strange_name(source)
    if letter:
        return None, [Fault("refused", f"an expression with {letter}, not what it looks like")]
    try:
        return _statement(source) if "import" in source else _expression(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        slip = Slip("syntax", source) if isinstance(error, SyntaxError) else None
        return None, [Fault("refused", f"no valid expression of Python ({reason})", slip)]


def _expression(source: str) -> tuple[ast.expr, list[Fault]]:
    # Read as a module, what is wrong would make Python look for a file that has the line.
    tree = ast.parse(source, mode="eval").body
    return tree, list(dict.fromkeys(_faults(tree)))


def _statement(source: str) -> tuple[ast.expr | Import | None, list[Fault]]:
    """An import statement; MONAI takes the first of several, and never looks at the others."""
    statements = ast.parse(source, mode="single").body
    statement = statements[0]
    if len(statements) != 1:
        return None, [Fault("refused", "more than one statement in an expression")]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return _import(statement)
    return _expression(source)


def _import(statement: ast.Import | ast.ImportFrom) -> tuple[Import | None, list[Fault]]:
    alias = statement.names[0]
    if len(statement.names) > 1 or alias.name == "*":
        return None, [Fault("refused", "imports several names, of which MONAI takes one")]
    if isinstance(statement, ast.Import):
        return Import(alias.asname or alias.name, alias.name), []
    if statement.level or not statement.module:
        return None, [Fault("refused", "imports relative to nothing")]
    return Import(alias.asname or alias.name, f"{statement.module}.{alias.name}"), []


def _faults(tree: ast.expr) -> Iterator[Fault]:
    waiting: list[tuple[ast.AST, int, bool]] = [(tree, 1, True)]
    while waiting:
        node, level, listed = waiting.pop()
        if level > MOST_LEVELS:
            yield Fault("refused", f"an expression nested deeper than {MOST_LEVELS} levels")
            return
        # One fault for what is not listed, with all that is within it.
        inside = listed and isinstance(node, _ALLOWED)
        if listed and not inside:
            kind = type(node).__name__
            words = next((_WORDS[k] for k in _WORDS if isinstance(node, k)), f"uses {kind}")
            yield Fault("needs trust", words)
        yield from _names(node)
        yield from _constant(node)
        waiting.extend((child, level + 1, inside) for child in ast.iter_child_nodes(node))


def _names(node: ast.AST) -> Iterator[Fault]:
    """Names that are not to be used at all; `a.b` of a private `b` is a fault of its own."""
    for name in _written(node):
        if name.startswith("__") and name.strip("_") and name != LOCAL:
            yield Fault("refused", f"{name}: {_DUNDERS}")
        elif name.startswith("_") and isinstance(node, ast.Attribute):
            yield Fault("needs trust", f"{name}: a private part, which is nobody's to use")


def _written(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword | ast.arg):
        yield node.arg or ""


def _constant(node: ast.AST) -> Iterator[Fault]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bytes | complex) or value is ...:
        yield Fault("needs trust", f"uses a value of kind {type(value).__name__}")
    elif isinstance(value, int | float) and not abs(value) <= MOST_NUMBER and value == value:
        yield Fault("refused", "a number too large to be honest")
    elif isinstance(value, str):
        letter = hidden_letter(value)
        if letter:
            yield Fault("refused", f"a text with {letter}: it is not what it looks like")
        if value.startswith("__") and value.endswith("__") and len(value) > 4:
            yield Fault("refused", f"{value}: {_DUNDERS}")


def bound_names(node: ast.AST) -> set[str]:
    """Names that an expression gives a meaning of its own."""
    parts = list(ast.walk(node))
    stored = {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
    return stored | {part.arg for part in parts if isinstance(part, ast.arg)}


def is_reference(node: ast.Subscript) -> bool:
    """Whether it is what MONAI writes for `@id`."""
    named = isinstance(node.value, ast.Name) and node.value.id == LOCAL
    return named and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
