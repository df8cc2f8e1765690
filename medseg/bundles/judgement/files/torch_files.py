"""Files of torch and numpy, told apart: tensors alone, a program (TorchScript), or a pickle."""

import ast
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

from medseg._text import printable
from medseg.bundles.judgement.files.entry_names import name_clashes
from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.files.pickles import MOST_BYTES, is_pickle, pickle_findings
from medseg.bundles.judgement.zips.zip_data import unpacked
from medseg.bundles.judgement.zips.zip_layout import Member, read_members
from medseg.errors import DataError

__all__ = ["npy_findings", "npz_findings", "script_findings", "torch_findings"]

_NPY = b"\x93NUMPY"
# What torch.save writes beside the pickle: tensors by number, and what is said of all of them.
_TENSOR = re.compile(
    r"data/[0-9]+|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id"
)
# In torch's form of before 1.6, a mark, a version, facts of the machine, the state, and the keys
# of the tensors are pickled one after the other; then come the tensors.
_OLD_MARK = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_OLD_PICKLES = 5
_MOST_HEADER = 2**16

_Judge = Callable[[io.BytesIO, tuple[Member, ...]], Iterator[Finding]]


def torch_findings(content: bytes) -> Iterator[Finding]:
    """What keeps a file of `torch.save` from being tensors alone.

    Args:
        content: All of the file.
    """
    if content.startswith(_OLD_MARK):
        yield from pickle_findings(content, streams=_OLD_PICKLES)
    elif is_pickle(content):
        yield from pickle_findings(content)
    elif content.startswith(b"PK"):
        yield from _zip_findings(content, _record_findings)
    else:
        yield Finding("needs trust", "is no file of torch that medseg knows")


def script_findings(content: bytes) -> Iterator[Finding]:
    """The finding for a file that is a program by its name, and what else it is.

    Args:
        content: All of the `.ts` or `.pt2` file.
    """
    found = list(torch_findings(content))
    if not found:
        yield Finding("needs trust", "is a program by its name, and tensors alone by its content")
    yield from found


def npy_findings(content: bytes) -> Iterator[Finding]:
    """What keeps a numpy array from being numbers alone.

    Args:
        content: All of the `.npy` file.
    """
    header, start = _npy_header(content)
    if header is None:
        yield Finding("refused", "is no numpy array, or a damaged one")
    elif "O" in repr(header.get("descr")):
        yield Finding("needs trust", "holds Python objects, which numpy unpickles")
        yield from pickle_findings(content[start:])


def npz_findings(content: bytes) -> Iterator[Finding]:
    """What keeps a file of `numpy.savez` from being numbers alone.

    Args:
        content: All of the `.npz` file.
    """
    yield from _zip_findings(content, _array_findings)


def _npy_header(content: bytes) -> tuple[dict[str, Any] | None, int]:
    width = 2 if content[6:7] == b"\x01" else 4
    length = int.from_bytes(content[8 : 8 + width], "little")
    start = 8 + width + length
    if not content.startswith(_NPY) or start > len(content) or length > _MOST_HEADER:
        return None, 0
    try:
        header = ast.literal_eval(content[8 + width : start].decode("utf-8").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None, 0
    return (cast("dict[str, Any]", header), start) if isinstance(header, dict) else (None, 0)


def _zip_findings(content: bytes, judge: _Judge) -> Iterator[Finding]:
    file = io.BytesIO(content)
    try:
        members = read_members(file, "")
    except DataError as error:
        yield Finding("refused", f"as a zip it {str(error).removeprefix(': ')}")
        return
    if any(name_clashes(member.name for member in members)):
        yield Finding("refused", "holds two records of one name, of which a reader takes either")
        return
    try:
        yield from judge(file, members)
    except zlib.error as error:
        yield Finding("refused", f"is damaged ({error})")


def _record_findings(file: io.BytesIO, members: tuple[Member, ...]) -> Iterator[Finding]:
    names = {member: member.name.partition("/")[2] for member in members}
    lower = [name.lower() for name in names.values()]
    is_script = any(name == "constants.pkl" or name.startswith("code/") for name in lower)
    if is_script:
        yield Finding(
            "needs trust",
            "is a program (TorchScript), which can read and write files; medseg "
            "reads weights from model.safetensors alone",
        )
    for member, name in names.items():
        if name.lower().endswith(".pkl"):
            yield from pickle_findings(_content(file, member))
        elif not _TENSOR.fullmatch(name) and not (is_script and _is_of_script(name)):
            shown = printable(member.name)[:80]
            yield Finding("needs trust", f"holds {shown!r}, which is no tensor's")
            return
    if "data.pkl" not in lower:
        yield Finding("needs trust", "is an archive, and what is in it is not known")


def _array_findings(file: io.BytesIO, members: tuple[Member, ...]) -> Iterator[Finding]:
    for member in members:
        if member.name.endswith(".npy"):
            yield from npy_findings(_content(file, member))
        else:
            shown = printable(member.name)[:80]
            yield Finding("needs trust", f"holds {shown!r}, which is no array")


def _is_of_script(name: str) -> bool:
    return name.startswith(("code/", "constants/", "extra/"))


def _content(file: io.BytesIO, member: Member) -> bytes:
    """The bytes of a record, or more of them than are looked into."""
    content = b""
    with closing(unpacked(file, member)) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > MOST_BYTES:
                break
    return content
