"""Hash of a preprocessing pipeline; changes when any setting or its code changes.

A recipe is a graph of objects: a MONAI `Compose` of transforms, functions, arrays. It is
described by class names and settings, none of which depends on the process (no addresses, no
hash order, no random states), and the description is hashed. The edition of a class belongs to
it, since an upgrade or an edit may change what a step does: of installed packages it is the
version, of code that is being worked on the file. Helpers that a step calls in other files of
such code are not seen.
"""

import copyreg
import enum
import functools
import hashlib
import json
import random
import sys
import types
from collections.abc import Mapping, Sequence, Set
from pickle import PicklingError
from typing import Any, cast

import numpy as np

from medseg.data.digest import file_sha256
from medseg.data.nested import array_of
from medseg.errors import UsageError

__all__ = ["describe", "recipe_digest"]

RANDOM = (np.random.RandomState, np.random.Generator, random.Random)
BY_NAME = (type, types.BuiltinFunctionType, types.ModuleType, np.ufunc)
METHODS = (types.MethodType, types.BuiltinMethodType)
# MONAI's readers keep the path they read last.
READERS, LAST_READ = "monai.data.image_reader", "filenames"
# Deeper than any recipe; a graph that goes on for ever is stopped before Python is.
MAX_DEPTH = 100


def recipe_digest(preparation: object) -> str:
    """SHA-256 of a recipe's description, as 64 hexadecimal digits.

    Args:
        preparation: Any callable that pickle could in principle take apart.

    Raises:
        UsageError: If a part of it cannot be described.
    """
    return hashlib.sha256(json.dumps(describe(preparation)).encode()).hexdigest()


def describe(value: Any, depth: int = 0) -> Any:
    """Describe a value by nested lists of text and numbers, equal for equal settings.

    Raises:
        UsageError: If there is something in it that has no settings to be read.
    """
    if depth > MAX_DEPTH:
        raise UsageError("the recipe contains itself, so a disk cache cannot tell it from others")
    if isinstance(value, enum.Enum):
        return [_name(type(value)), value.name]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | bytes):
        return repr(value)
    if isinstance(value, RANDOM) or _name(type(value)) == "torch._C.Generator":
        return "random state"
    return _function(value, depth + 1) or _container(value, depth + 1) or _object(value, depth + 1)


def _function(value: Any, depth: int) -> list[Any] | None:
    owner = getattr(value, "__self__", None)
    if isinstance(value, METHODS) and not isinstance(owner, types.ModuleType):
        return ["method", describe(owner, depth), value.__name__]
    if isinstance(value, types.FunctionType):
        # The name alone does not tell two lambdas apart, nor a function from its next version.
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        settings = [value.__defaults__, value.__kwdefaults__, cells]
        return ["function", _name(value), _code(value.__code__, depth), describe(settings, depth)]
    return ["name", _name(value)] if isinstance(value, BY_NAME) else None


def _container(value: Any, depth: int) -> list[Any] | None:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return ["mapping", _sorted([[describe(k, depth), describe(v, depth)] for k, v in pairs])]
    if isinstance(value, Set):
        return ["set", _sorted([describe(part, depth) for part in cast("Set[Any]", value)])]
    if type(value) in (list, tuple):
        return ["sequence", *(describe(part, depth) for part in cast("Sequence[Any]", value))]
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        array = np.ascontiguousarray(array_of(value))
        return ["array", str(array.dtype), array.shape, hashlib.sha256(array.data).hexdigest()]
    return None


def _sorted(descriptions: list[Any]) -> list[Any]:
    return sorted(descriptions, key=json.dumps)


def _code(code: types.CodeType, depth: int) -> list[Any]:
    constants = [
        _code(part, depth) if isinstance(part, types.CodeType) else describe(part, depth)
        for part in code.co_consts
    ]
    return [code.co_code.hex(), code.co_names, constants]


def _object(value: Any, depth: int) -> list[Any]:
    """An object's class and state, as pickle would take them."""
    kind = cast("type[Any]", type(value))
    try:
        reduce = copyreg.dispatch_table.get(kind)
        parts = reduce(value) if reduce else value.__reduce_ex__(4)
    except (TypeError, AttributeError, NotImplementedError, PicklingError) as error:
        raise UsageError(
            f"a disk cache cannot tell recipes with a {_name(kind)} from others; "
            "take a named function or class instead, or another cache"
        ) from error
    if isinstance(parts, str):
        return ["global", _name(kind), parts]
    make, arguments, *rest = parts
    described = [describe(part, depth) for part in (arguments, _state(kind, rest), _held(rest))]
    return [_name(kind), _edition(kind), _name(make), *described]


def _state(kind: type[Any], rest: Sequence[Any]) -> Any:
    state = rest[0] if rest else None
    if kind.__module__ == READERS and isinstance(state, dict):
        entries = cast("dict[str, Any]", state)
        return {key: part for key, part in entries.items() if key != LAST_READ}
    return state


def _held(rest: Sequence[Any]) -> list[list[Any]]:
    """What a list or dictionary of a class of its own holds, which comes as iterators."""
    return [list(part) for part in rest[1:3] if part is not None]


def _name(value: Any) -> str:
    module = getattr(value, "__module__", None) or ""
    return f"{module}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"


@functools.cache
def _edition(kind: type) -> str:
    version = getattr(sys.modules.get(kind.__module__.split(".")[0]), "__version__", "")
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None or (version and "site-packages" in file):
        return str(version)
    return file_sha256(file)
