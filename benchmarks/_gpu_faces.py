"""Lazy faces: medseg's packages without what their `__init__.py` imports, for bare machines.

A face imports all of its package: SimpleITK, highdicom, scikit-image and more, 300 MB that neither
a training step nor a prediction needs. Here a name of a face is imported when it is asked for. A
face that is lazy by itself stays as it is. Importing this module puts it to work, as pytest's `-p`
does, so it has to come before medseg.
"""

import ast
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

__all__: list[str] = []


class _LazyFace(SourceFileLoader):
    """Runs an `__init__.py` but for its imports from medseg, which wait."""

    def exec_module(self, module: ModuleType) -> None:
        tree = ast.parse(self.get_data(self.path))
        waiting = [node for node in tree.body if _is_from_medseg(node)]
        tree.body = [node for node in tree.body if node not in waiting]
        exec(compile(tree, self.path, "exec"), module.__dict__)
        homes = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in waiting
            for alias in node.names
        }
        if homes:
            vars(module).update(_homes=homes, __getattr__=_getter(module, homes))
            module.__class__ = _Face


class _Face(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        # An imported submodule becomes an attribute of its package, also where the face has a
        # function of that name.
        if not (isinstance(value, ModuleType) and name in vars(self)["_homes"]):
            super().__setattr__(name, value)


def _getter(module: ModuleType, homes: dict[str, tuple[str, str]]) -> Any:
    own = module.__dict__.get("__getattr__")

    def get(name: str) -> object:
        if name in homes:
            home, theirs = homes[name]
            return getattr(import_module(home), theirs)
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    return get


def _is_from_medseg(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("medseg.")


class _LazyFaces(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("medseg."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations and spec.origin:
            spec.loader = _LazyFace(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, _LazyFaces())
