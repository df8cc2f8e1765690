"""Pickles read as data: which functions they would call, found without calling one.

A pickle is a program. What torch's own loader of weights accepts (`weights_only=True`) is a small
part of the language that builds tensors, numbers, texts and containers of them. A file within that
part is held to be plain data; whatever is beyond it is told by name, where it has one.

Reference:
    Python, Lib/pickletools.py; PyTorch, torch/_weights_only_unpickler.py
"""

import io
import pickletools
from collections.abc import Iterator
from typing import BinaryIO

from medseg._text import printable
from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.files.word_list import words

__all__ = ["MOST_BYTES", "is_pickle", "pickle_findings"]

# The state of a network of a thousand tensors takes 100 KB.
MOST_BYTES = 2**24
_MOST_STEPS = 500_000
_MOST_TOLD = 5

_STEPS = words(
    "APPEND APPENDS BINFLOAT BINGET BININT BININT1 BININT2 BINPERSID BINPUT BINUNICODE BUILD "
    "EMPTY_DICT EMPTY_LIST EMPTY_SET EMPTY_TUPLE GLOBAL LONG1 LONG_BINGET LONG_BINPUT MARK "
    "NEWFALSE NEWTRUE NONE PROTO REDUCE SETITEM SETITEMS SHORT_BINSTRING STOP TUPLE TUPLE1 TUPLE2 "
    "TUPLE3"
)
_TYPES = words(
    "Float Double Half BFloat16 Byte Char Short Int Long Bool ComplexFloat ComplexDouble"
)
_NUMBERS = words("float32 float64 float16 bfloat16 uint8 int8 int16 int32 int64 bool")
# Each builds a tensor, a container or a number from what it is given, and does nothing else.
_CALLS = frozenset(
    {
        *("collections OrderedDict", "torch Size", "torch device"),
        *("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2"),
        *("torch._utils _rebuild_parameter", "torch.nn.parameter Parameter"),
        *(f"torch {name}Storage" for name in _TYPES),
        *("torch.storage UntypedStorage", "torch.storage TypedStorage"),
        *(f"torch {name}" for name in _NUMBERS),
    }
)
# Modules from which no state of a network comes: they run, read, write, send or find by name.
_HOSTILE = words(
    "os posix nt posixpath ntpath subprocess _posixsubprocess sys shutil socket socketserver ssl "
    "runpy importlib imp pkgutil pydoc pty code codeop pdb bdb cProfile profile timeit trace "
    "webbrowser ctypes _ctypes marshal pickle _pickle cloudpickle dill asyncio multiprocessing "
    "threading _thread signal platform urllib http ftplib smtplib poplib imaplib telnetlib "
    "xmlrpc requests operator functools types inspect gc atexit site venv ensurepip pip "
    "setuptools distutils doctest unittest logging tempfile glob pathlib io _io zipfile tarfile "
    "sqlite3 builtins __builtin__ commands"
)
# Of builtins, types whose making does nothing.
_HARMLESS = frozenset(
    f"builtins {name}" for name in words("set frozenset bytearray complex slice range list dict")
)


def is_pickle(head: bytes) -> bool:
    """Whether a file begins as pickles of protocol 2 and later do."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def pickle_findings(content: bytes, *, streams: int = 1) -> Iterator[Finding]:
    """What keeps pickles from being plain data.

    Args:
        content: They begin at its first byte.
        streams: How many follow one another; 1 takes all of `content`.
    """
    if streams == 1 and len(content) > MOST_BYTES:
        yield Finding(
            "needs trust", f"is a pickle of more than {MOST_BYTES >> 20} MiB, too much to read"
        )
        return
    file = io.BytesIO(content)
    calls: dict[str, None] = {}
    odd: dict[str, None] = {}
    problem = None
    for _ in range(streams):
        problem = problem or _read(file, calls, odd)
    if problem is None and streams == 1 and file.tell() != len(content):
        problem = Finding("refused", "is a pickle that has bytes after its end")
    yield from _told(calls, odd)
    if problem is not None:
        yield problem


def _read(file: BinaryIO, calls: dict[str, None], odd: dict[str, None]) -> Finding | None:
    """Note a pickle's functions and unusual steps; what is wrong with it, or None."""
    texts: list[str] = []
    try:
        for number, (step, argument, _) in enumerate(pickletools.genops(file)):
            if number > _MOST_STEPS:
                return Finding("needs trust", "is a pickle of too many steps to read them all")
            if step.name in ("GLOBAL", "INST"):
                calls[str(argument)] = None
            elif step.name == "STACK_GLOBAL":
                # The stack may hold something else by then: the names are for the reader alone.
                calls[" ".join(texts[-2:]) or "?"] = None
                odd["names what it calls by other steps"] = None
            elif isinstance(argument, str):
                texts.append(argument)
            if step.name not in _STEPS and step.name not in ("INST", "STACK_GLOBAL"):
                odd[f"uses the step {step.name}"] = None
    except (ValueError, UnicodeError, IndexError, OverflowError, MemoryError) as error:
        told = ascii(str(error))[1:81]
        return Finding("refused", f"is a pickle that cannot be read to its end ({told})")
    return None


def _told(calls: dict[str, None], odd: dict[str, None]) -> Iterator[Finding]:
    unknown = [name for name in calls if name not in _CALLS]
    hostile = [name for name in unknown if _is_hostile(name)]
    if hostile:
        yield Finding(
            "refused", f"calls {_listed(hostile)} when it is loaded, which can run, read or send"
        )
    rest = [name for name in unknown if name not in hostile]
    if rest:
        yield Finding("needs trust", f"calls {_listed(rest)} when it is loaded, which is code")
    if odd and not unknown:
        yield Finding(
            "needs trust", f"is a pickle that {'; '.join([*odd][:_MOST_TOLD])}, as no state does"
        )


def _is_hostile(name: str) -> bool:
    if name in _HARMLESS:
        return False
    module, _, function = name.partition(" ")
    # A dotted name goes on from what is found: torch.serialization and its os.system.
    parts = {*module.split("."), *function.split(".")[:-1]}
    return bool(_HOSTILE & parts) or any(part.startswith("__") for part in name.split("."))


def _listed(names: list[str]) -> str:
    shown = ", ".join(printable(name).replace(" ", ".")[:80] for name in names[:_MOST_TOLD])
    more = len(names) - _MOST_TOLD
    return f"{shown} and {more} more" if more > 0 else shown
