"""Names in installed packages, looked for in their sources: nothing is imported.

A stranger's config may name anything, so that importing a module to see whether it has a name would
already run what the config chose. A name is said to be missing only where that is certain.
"""

import ast
import builtins
import difflib
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["is_argument", "is_component", "is_name"]

# Whose sources are looked into.
_PACKAGES = frozenset({"ignite", "medseg", "monai", "numpy", "torch"})
# Where bare names are looked up by MONAI.
_OF_BARE = "monai"
# By these, a module has names that are not written in it.
_OPEN = re.compile(rb"import \*|globals\(\)|\bsetattr\(|__import__|def __getattr__|\.vars\(")


def is_name(name: str) -> bool:
    """Whether a dotted name may be there: False only if no such thing is.

    Args:
        name: Such as `torch.optim.Adam`; of a package that is not looked into, it may be there.
    """
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    if parts[0] not in _PACKAGES:
        # What is not installed may be the bundle's own, unless it looks like one of these.
        near = difflib.get_close_matches(parts[0], _PACKAGES, n=1, cutoff=0.8)
        return not near or _folder(parts[0]) is not None
    return all(_has(parts[:n], parts[n]) for n in range(1, len(parts)))


def is_component(name: str) -> bool:
    """Whether a bare name may be that of a component: a class or function of MONAI's.

    MONAI takes a module or built-in for one as well.
    """
    if not name.isidentifier():
        return False
    if hasattr(builtins, name) or name in sys.modules or _folder(name) is not None:
        return True
    return any(True for _ in _definitions(_OF_BARE, name))


def is_argument(target: str, argument: str) -> bool:
    """Whether a component may have an argument: False only if it has none of the name."""
    *modules, name = target.split(".")
    package = modules[0] if modules else _OF_BARE
    if package not in _PACKAGES:
        return True
    taken = _taken(package, name)
    return taken is None or argument in taken


@cache
def _taken(package: str, name: str) -> frozenset[str] | None:
    """Names of the arguments of what a package defines by a name; None if nobody can tell."""
    taken = [_arguments(text, name) for text in _definitions(package, name)]
    known = [names for names in taken if names is not None]
    return frozenset[str]().union(*known) if known and len(known) == len(taken) else None


def _has(module: list[str], name: str) -> bool:
    folder = _folder(module[0])
    if folder is None:
        return True
    place = folder.joinpath(*module[1:])
    if (place / name).is_dir() or any(place.glob(f"{name}.*")):
        return True
    files = [place / "__init__.py", place.with_name(f"{place.name}.py")]
    texts = [file.read_bytes() for file in files if file.is_file()]
    if texts and not any(map(_OPEN.search, texts)):
        return any(_word(name).search(text) for text in texts)
    told = name.encode()
    return any(told in text and _word(name).search(text) for text in _sources(module[0]))


def _word(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\b%s\b" % re.escape(name.encode()))


def _definitions(package: str, name: str) -> Iterator[bytes]:
    """Sources of a package that define a class or function, or another name for one."""
    # The plain search is many times faster, and most files do not have the name at all.
    told = name.encode()
    pattern = re.compile(rb"\b(class|def)\s+%s\b|^(\w+\s*=\s*)*%s\s*[=:]" % (told, told), re.M)
    return (text for text in _sources(package) if told in text and pattern.search(text))


def _arguments(source: bytes, name: str) -> frozenset[str] | None:
    """Names of the arguments of what a source defines; None if they cannot be told from it."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name and not node.decorator_list:
            return _names(node)
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _taken_by_class(node)
    return None


def _taken_by_class(node: ast.ClassDef) -> frozenset[str] | None:
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return _names(part)
    return None if node.bases else _fields(node)


def _fields(record: ast.ClassDef) -> frozenset[str] | None:
    """Of a dataclass."""
    if not any("dataclass" in ast.unparse(one) for one in record.decorator_list):
        return None
    fields = [part.target for part in record.body if isinstance(part, ast.AnnAssign)]
    return frozenset(field.id for field in fields if isinstance(field, ast.Name))


def _names(function: ast.FunctionDef) -> frozenset[str] | None:
    taken = function.args
    if taken.kwarg is not None:
        return None
    return frozenset(part.arg for part in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs))


@cache
def _folder(package: str) -> Path | None:
    """Of an installed package, or of the module of the name."""
    # Of a name without a dot, nothing is imported to find it.
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _sources(package: str) -> Iterator[bytes]:
    folder = _folder(package)
    for file in [] if folder is None else sorted(folder.rglob("*.py*")):
        if file.suffix in (".py", ".pyi"):
            yield file.read_bytes()
