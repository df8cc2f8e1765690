"""Lazy imports (PEP 562): `from medseg.data import Volume` imports only what `Volume` needs.

A package lists its names once, as imports under `if TYPE_CHECKING`, which type checkers and editors
read; `attach` reads the same lines, and imports a name's file when the name is first used.
"""

import ast
import inspect
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module

__all__ = ["attach"]


def attach(package: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package's `__init__.py`.

    No name may equal that of a file or folder of the package: once that file is imported, the
    name would give the module.

    Args:
        package: `__name__` of the package.
    """

    @cache
    def modules() -> dict[str, str]:
        return _modules_of_names(inspect.getsource(sys.modules[package]))

    def __getattr__(name: str) -> object:  # noqa: N807
        if name.startswith("__") or name not in modules():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(modules()[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*vars(sys.modules[package]), *modules()})

    return __getattr__, __dir__


def _modules_of_names(source: str) -> dict[str, str]:
    blocks = [n for n in ast.parse(source).body if isinstance(n, ast.If)]
    imports = [n for block in blocks for n in block.body if isinstance(n, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in imports for alias in node.names}
