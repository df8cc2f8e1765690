"""Pickles under any name: opcodes that scanners follow badly, archives of torch, arrays of objects.

No pickle here was made by pickling: each is written by its opcodes, and would make a folder
`canary`.
"""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
import zlib

from tests.bundles.attacks.case import Attack, made

__all__ = ["PICKLES"]

TRUST = "needs trust"
GLOBAL = b"cos\nmkdir\n"
CALL = b"(X\x06\x00\x00\x00canarytR"
PLAIN = GLOBAL + CALL + b"."
PROTO4 = b"\x80\x04"


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


# os and mkdir lie in the memo, and other texts stand right before STACK_GLOBAL.
MEMO = (
    PROTO4
    + b"".join([_short("os"), b"\x94", _short("mkdir"), b"\x94", b"00"])
    + b"".join([_short("x"), b"0", _short("y"), b"0", b"h\x00", b"h\x01", b"\x93"])
    + _short("canary")
    + b"\x85R."
)
# numpy.size.__builtins__ by BUILD on a module's attribute, then eval by an item of it.
BUILD = (
    PROTO4
    + b"".join([_short("torch._utils"), _short("_rebuild_tensor_v2"), b"\x93", b"\x94"])
    + b"}"
    + b"".join([_short("__globals__"), b"}", b"s", b"b"])
    + b"."
)
STORAGES = b"ccollections\nOrderedDict\n)R."


def _torch_zip(
    data: bytes, *, folder: str = "archive", more: dict[str, bytes] | None = None
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{folder}/data.pkl", data)
        archive.writestr(f"{folder}/version", b"3\n")
        for name, content in (more or {}).items():
            archive.writestr(f"{folder}/{name}", content)
    return stream.getvalue()


def _flagged(content: bytes) -> bytes:
    """The same archive whose local headers claim encryption; torch reads it all the same."""
    at = content.find(b"PK\x01\x02")
    return content[: at + 8] + b"\x01\x00" + content[at + 10 :]


def _renamed(content: bytes) -> bytes:
    """The same archive whose local header has another name than its directory."""
    return content.replace(b"archive/data.pkl", b"archive/data.txt", 1)


def _npy(data: bytes) -> bytes:
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + data


def _npz(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", _npy(data))
    return stream.getvalue()


def _tar(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("pickle", "storages", "tensors"):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _doubled(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", STORAGES)
        archive.writestr("archive/data.pkl2", data)
    return stream.getvalue().replace(b"data.pkl2", b"data.pkl\0")


def _global(module: str, name: str, *arguments: str) -> bytes:
    texts = b"".join(b"X" + struct.pack("<I", len(a)) + a.encode() for a in arguments)
    return f"c{module}\n{name}\n(".encode() + texts + b"tR."


def _file(name: str, path: str, content: bytes) -> Attack:
    return made(name, TRUST, {path: content}, path)


MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
PICKLES: list[Attack] = [
    _file("pickle", "models/model.pkl", PLAIN),
    _file("pickle as weights", "models/model.pt", PLAIN),
    _file("pickle behind the numbers of old checkpoints", "models/model.pt", MAGIC + PLAIN),
    _file("pickle as safetensors", "models/model.safetensors", PLAIN),
    _file("pickle as another file of safetensors", "models/other.safetensors", PROTO4 + PLAIN),
    _file("pickle as a text", "docs/notes.txt", PROTO4 + PLAIN),
    _file("pickle of protocol 0 as a text", "docs/notes.txt", PLAIN),
    _file("pickle as Markdown", "docs/more.md", PLAIN),
    _file("pickle as a picture", "docs/logo.png", PROTO4 + PLAIN),
    _file("pickle as a licence", "LICENSE", PLAIN),
    _file("pickle as a config", "configs/extra.json", PLAIN),
    _file("pickle without a suffix", "models/weights", PROTO4 + PLAIN),
    _file("pickle of joblib", "models/model.joblib", PLAIN),
    _file("pickle, compressed by gzip", "models/model.pkl.gz", gzip.compress(PLAIN, mtime=0)),
    _file("pickle, compressed by zlib", "models/model.z", zlib.compress(PLAIN)),
    _file("pickle as .bin", "models/pytorch_model.bin", PLAIN),
    _file("pickle as .ckpt", "models/last.ckpt", _torch_zip(PLAIN)),
    _file("pickle as .dat", "models/x.dat", PLAIN),
    _file("archive of torch", "models/model.pt", _torch_zip(PLAIN)),
    _file(
        "archive of torch under another folder", "models/model.pt", _torch_zip(PLAIN, folder="x")
    ),
    _file("archive of torch as .pth", "models/best.pth", _torch_zip(PLAIN)),
    _file(
        "TorchScript as .ts",
        "models/model.ts",
        _torch_zip(STORAGES, more={"code/__torch__.py": b"x", "constants.pkl": STORAGES}),
    ),
    _file("archive of torch as a text", "docs/notes.txt", _torch_zip(PLAIN)),
    _file(
        "TorchScript, whose code is in the archive",
        "models/model.pt",
        _torch_zip(STORAGES, more={"code/__torch__.py": b"x", "constants.pkl": STORAGES}),
    ),
    _file(
        "second pickle in the archive",
        "models/model.pt",
        _torch_zip(STORAGES, more={"constants.pkl": PLAIN}),
    ),
    _file(
        "pickle in the archive under another suffix",
        "models/model.pt",
        _torch_zip(STORAGES, more={"extra/config.p": PLAIN}),
    ),
    _file(
        "archive of torch that claims encryption", "models/model.pt", _flagged(_torch_zip(PLAIN))
    ),
    _file("archive of torch with two names", "models/model.pt", _renamed(_torch_zip(PLAIN))),
    _file("archive of torch with a name twice", "models/model.pt", _doubled(PLAIN)),
    _file("archive of torch in an archive of tar", "models/model.pt", _tar(PLAIN)),
    _file(
        "archive of torch behind other bytes", "models/model.pt", b"\x80\x02N." + _torch_zip(PLAIN)
    ),
    _file("archive of torch, cut off", "models/model.pt", _torch_zip(PLAIN)[:-30]),
    _file("global from the memo", "models/model.pt", _torch_zip(MEMO)),
    _file("attributes set by BUILD on a listed function", "models/model.pt", _torch_zip(BUILD)),
    _file("second pickle behind the first", "models/model.pt", _torch_zip(STORAGES + PLAIN)),
    _file("error behind the call", "models/model.pt", _torch_zip(PLAIN[:-1] + b"\xff\xff\xff.")),
    _file(
        "memo that is missing, before the call", "models/model.pt", _torch_zip(b"h\x7f0" + PLAIN)
    ),
    _file("opcode INST", "models/model.pt", _torch_zip(b"(X\x06\x00\x00\x00canaryios\nmkdir\n.")),
    _file("opcode OBJ", "models/model.pt", _torch_zip(b"(cos\nmkdir\nX\x06\x00\x00\x00canaryo.")),
    _file("extension registry", "models/model.pt", _torch_zip(PROTO4 + b"\x82\x01" + CALL + b".")),
    _file("persistent id that is an object", "models/model.pt", _torch_zip(PLAIN[:-1] + b"Q.")),
    _file(
        "pickle within a pickle",
        "models/model.pt",
        _torch_zip(b"c_pickle\nloads\n(C" + bytes([len(PLAIN)]) + PLAIN + b"tR."),
    ),
    _file(
        "module in a module by dots",
        "models/model.pt",
        _torch_zip(
            PROTO4 + _short("torch") + _short("os.mkdir") + b"\x93" + _short("canary") + b"\x85R."
        ),
    ),
    _file(
        "listed class, unlisted attribute",
        "models/model.pt",
        _torch_zip(
            PROTO4 + _short("collections") + _short("OrderedDict.__subclasses__") + b"\x93)R."
        ),
    ),
    _file(
        "torch's runner of commands",
        "models/model.pt",
        _torch_zip(_global("torch.utils.collect_env", "run", "touch canary")),
    ),
    _file(
        "torch's loader, within its own pickle",
        "models/model.pt",
        _torch_zip(_global("torch", "load", "models/x.pkl")),
    ),
    _file(
        "torch's storage of a file",
        "models/model.pt",
        _torch_zip(_global("torch.storage", "_load_from_bytes", "x")),
    ),
    _file(
        "multiprocessing's starter",
        "models/model.pt",
        _torch_zip(_global("multiprocessing.util", "spawnv_passfds", "/bin/sh")),
    ),
    _file(
        "functools.partial in a pickle",
        "models/model.pt",
        _torch_zip(_global("functools", "partial", "x")),
    ),
    _file(
        "operator.attrgetter in a pickle",
        "models/model.pt",
        _torch_zip(_global("operator", "attrgetter", "x")),
    ),
    _file(
        "getattr in a pickle",
        "models/model.pt",
        _torch_zip(_global("builtins", "getattr", "x", "y")),
    ),
    _file("names of Python 2", "models/model.pt", _torch_zip(_global("__builtin__", "eval", "1"))),
    _file("a global that nothing calls", "models/model.pt", _torch_zip(GLOBAL + b".")),
    _file(
        "string opcodes that other scanners skip",
        "models/model.pt",
        _torch_zip(b"S'os'\nS'mkdir'\n\x93" + CALL + b"."),
    ),
    _file("array of objects", "models/x.npy", _npy(PLAIN)),
    _file("arrays of objects in an archive", "models/x.npz", _npz(PLAIN)),
    _file("array of objects as a text", "docs/x.txt", _npy(PLAIN)),
    _file("Keras", "models/model.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 64),
    _file(
        "protocol 5 with a frame",
        "models/model.bin",
        pickle.PROTO + b"\x05" + b"\x95" + struct.pack("<Q", len(PLAIN)) + PLAIN,
    ),
]
