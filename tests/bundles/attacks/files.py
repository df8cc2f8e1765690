"""Files that are code, run by other programs, lead elsewhere, or have names that deceive."""

import base64
import io
import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.bundles.attacks.case import CONFIG, Attack, base_config, made, write_base

__all__ = ["FILES"]

TRUST = "needs trust"
NEVER = "refused"
PYTHON = "open('canary', 'w')\n"
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 57


def _file(name: str, path: str, content: str | bytes, least: str = TRUST) -> Attack:
    return made(name, least, {path: content}, path)


def _changed(name: str, change: Callable[[Path], object], file: str | None = None) -> Attack:
    def make(folder: Path) -> Path:
        write_base(folder, {})
        change(folder)
        return folder

    return Attack(name, TRUST, make, file)


def _zip(name: str, content: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of Protocol Buffers."""
    size, length = len(content), b""
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + length + content


def _onnx_outside(location: str) -> bytes:
    """A model whose one tensor lies in another file."""
    entry = _field(1, b"location") + _field(2, location.encode())
    tensor = b"\x08\x01\x10\x01" + _field(8, b"w") + _field(13, entry) + b"\x70\x01"
    return b"\x08\x08" + _field(7, _field(5, tensor))


def _onnx_domain(domain: str, kind: str) -> bytes:
    node = _field(4, kind.encode()) + _field(7, domain.encode())
    return b"\x08\x08" + _field(7, _field(1, node)) + _field(8, _field(1, domain.encode()))


def _safetensors(header: str | bytes, behind: bytes = b"", length: int | None = None) -> bytes:
    raw = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(raw) if length is None else length) + raw + behind


def _listen(path: Path) -> None:
    # Its path may be too long for a socket's name.
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def _link(path: str, target: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        place = folder / path
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    return change


def _linked_configs(folder: Path) -> None:
    (folder / "configs").rename(folder.parent / f"{folder.name}_configs")
    (folder / "configs").symlink_to(folder.parent / f"{folder.name}_configs")


def _sparse(path: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with (folder / path).open("wb") as file:
            file.truncate(20 * 2**30)

    return change


def _deep(folder: Path) -> None:
    place = folder / "docs"
    for _ in range(300):
        place = place / "deep"
    place.mkdir(parents=True)
    (place / "x.txt").write_text("x")


CODE = "x: \"$open('canary', 'w')\"\n"
FILES: list[Attack] = [
    # --- code
    _file("module named as one of the standard library", "mimetypes.py", PYTHON),
    _file("package of scripts", "scripts/__init__.py", PYTHON),
    _file("module of scripts", "scripts/net.py", PYTHON),
    _file("module in a folder of any name", "extra/net.py", PYTHON),
    _file("module in the configs", "configs/net.py", PYTHON),
    _file("module named as metadata", "configs/metadata.json.py", PYTHON),
    _file("module with its suffix in capitals", "scripts/NET.PY", PYTHON),
    _file("module of Windows", "scripts/net.pyw", PYTHON),
    _file("module with a space behind its suffix", "scripts/net.py ", PYTHON),
    _file("sitecustomize", "sitecustomize.py", PYTHON),
    _file("usercustomize in a folder", "lib/usercustomize.py", PYTHON),
    _file("conftest", "conftest.py", PYTHON),
    _file("setup", "setup.py", PYTHON),
    _file("compiled module", "scripts/net.pyc", b"\xa7\r\r\n" + b"\0" * 12),
    _file("compiled module in its cache", "__pycache__/net.cpython-311.pyc", b"\xa7\r\r\n"),
    _file("compiled module as a text", "docs/x.txt", b"\xa7\r\r\n\0\0\0\0" + b"\0" * 12 + b"\xe3"),
    _file("path file of site", "evil.pth", "import os; os.mkdir('canary')\n"),
    _file("Cython", "scripts/net.pyx", "cdef int x\n"),
    _file("empty package", "scripts/__init__.py", ""),
    _file("notebook", "docs/demo.ipynb", '{"cells": [], "nbformat": 4}'),
    _file("shell", "docs/run.sh", "touch canary\n"),
    _file("shell without a suffix", "run", "#!/bin/sh\ntouch canary\n"),
    _file("shell as a text", "docs/notes.txt", "#!/bin/sh\ntouch canary\n"),
    _file("Python as Markdown", "docs/notes.md", "#!/usr/bin/env python\n" + PYTHON),
    _file("batch file", "docs/run.bat", "echo x\r\n"),
    _file("PowerShell", "docs/run.ps1", "echo x\r\n"),
    _file("menu entry", "docs/x.desktop", "[Desktop Entry]\nType=Application\nExec=touch canary\n"),
    _file("shortcut of Windows", "docs/x.lnk", b"L\0\0\0\x01\x14\x02\0"),
    _file("address of Windows", "docs/x.url", "[InternetShortcut]\nURL=file:///c:/x.exe\n"),
    _file("autorun", "autorun.inf", "[autorun]\nopen=x.exe\n"),
    _file("Makefile", "Makefile", "all:\n\ttouch canary\n"),
    _file("Dockerfile", "Dockerfile", "FROM x\nRUN touch canary\n"),
    _file("project file", "pyproject.toml", '[build-system]\nrequires = ["evil"]\n'),
    _file("hook of git", ".git/hooks/post-checkout", "#!/bin/sh\ntouch canary\n"),
    _file("config of git", ".git/config", "[core]\nfsmonitor = touch canary\n"),
    _file("tasks of an editor", ".vscode/tasks.json", '{"tasks": []}'),
    _file("environment of direnv", ".envrc", "touch canary\n"),
    _file("library", "models/evil.so", ELF),
    _file("library of a version", "models/evil.so.1", ELF),
    _file("library of Windows", "models/evil.dll", b"MZ" + b"\0" * 62),
    _file("library of a Mac", "models/evil.dylib", b"\xcf\xfa\xed\xfe" + b"\0" * 28),
    _file("extension module", "models/evil.pyd", b"MZ" + b"\0" * 62),
    _file("program as a picture", "docs/logo.png", ELF),
    _file("program as weights", "models/model.safetensors", ELF),
    _file("program of Windows as a text", "docs/notes.txt", b"MZ\x90\0" + b"\0" * 60),
    _file("program of WebAssembly", "docs/x.wasm", b"\0asm\x01\0\0\0"),
    _file("Java", "docs/x.jar", _zip("META-INF/MANIFEST.MF", "Main-Class: X\n")),
    # --- archives within
    _file("zip of scripts, which Python imports", "scripts.zip", _zip("net.py", PYTHON)),
    _file("wheel", "wheels/evil-1-py3-none-any.whl", _zip("evil.py", PYTHON)),
    _file("zip that runs, as a text", "docs/notes.txt", _zip("__main__.py", PYTHON)),
    _file(
        "zip behind a picture", "docs/logo.png", b"\x89PNG\r\n\x1a\n" + _zip("__main__.py", PYTHON)
    ),
    _file("gzip", "docs/x.tar.gz", b"\x1f\x8b\x08\0" + b"\0" * 20),
    _file("7z", "docs/x.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 26),
    _file("xz as a text", "docs/notes.txt", b"\xfd7zXZ\0" + b"\0" * 20),
    _file("image of a disk", "docs/x.iso", b"\0" * 32769 + b"CD001"),
    # --- documents that run in what shows them
    _file("page with a script", "docs/page.html", "<script>alert(1)</script>"),
    _file("drawing with a script", "docs/x.svg", "<svg><script>alert(1)</script></svg>"),
    _file("drawing with an event", "docs/x.svg", '<svg onload="alert(1)"/>'),
    _file("script", "docs/x.js", "alert(1)"),
    _file("script in the card", "docs/README.md", "# x\n<script>alert(1)</script>\n"),
    _file("event in the card", "docs/README.md", "# x\n<img src=x onerror=alert(1)>\n"),
    _file("script's address in the card", "docs/README.md", "[x](javascript:alert(1))\n"),
    _file(
        "script's address in the card, in capitals", "docs/README.md", "[x](JavaScript:alert(1))\n"
    ),
    _file("file's address in the card", "docs/README.md", "![x](file:///etc/passwd)\n"),
    _file("frame in the card", "docs/README.md", "<iframe src='http://localhost:9/'></iframe>\n"),
    _file(
        "script's address in entities",
        "docs/README.md",
        "<a href='java&#115;cript:alert(1)'>x</a>\n",
    ),
    _file(
        "script's address over a tab", "docs/README.md", "<a href='java\tscript:alert(1)'>x</a>\n"
    ),
    _file("script's address by reference", "docs/README.md", "[x]\n\n[x]: javascript:alert(1)\n"),
    _file("script's address in brackets", "docs/README.md", "[x](<javascript:alert(1)>)\n"),
    _file("data's address with a script", "docs/README.md", "[x](data:text/html,<script>)\n"),
    _file("event of a drawing in the card", "docs/README.md", "<svg/onload=alert(1)>\n"),
    _file("event over lines in the card", "docs/README.md", "<img src=x\nonerror\n=alert(1)>\n"),
    _file("form in the card", "docs/README.md", "<form action='http://localhost:9/'>\n"),
    _file("refresh in the card", "docs/README.md", "<meta http-equiv=refresh content='0;x'>\n"),
    _file("style that loads in the card", "docs/README.md", "<link rel=stylesheet href=//x/>\n"),
    _file("object in the card", "docs/README.md", "<object data='x.pdf'></object>\n"),
    _file("share of a network in the card", "docs/README.md", "![x](\\\\server\\share\\x.png)\n"),
    _file("formula in a table", "docs/scores.csv", "a,b\n=cmd|' /C calc'!A0,1\n"),
    _file("formula behind a sign in a table", "docs/scores.csv", "a,b\n+cmd|' /C calc'!A0,1\n"),
    _file("picture that is a drawing", "docs/logo.png", "<svg onload='alert(1)'/>"),
    # --- requirements, which pip would follow
    _file(
        "packages of another index", "requirements.txt", "--index-url http://localhost:9/\nx==1\n"
    ),
    _file("packages of one more index", "requirements.txt", "--extra-index-url=//x/\nx==1\n"),
    _file("package of an address", "requirements.txt", "x @ https://localhost:9/x.whl\n"),
    _file("package of git", "requirements.txt", "git+https://localhost:9/x.git#egg=x\n"),
    _file("package of the bundle", "requirements.txt", "-e .\n"),
    _file("package of a folder", "requirements.txt", "./wheels/x\n"),
    _file("requirements elsewhere", "requirements.txt", "-r ../../requirements.txt\n"),
    _file("trusted host over two lines", "requirements.txt", "x==1 \\\n --trusted-host x\n"),
    _file("document with macros", "docs/x.docm", _zip("word/vbaProject.bin", "x")),
    _file("PDF with a script", "docs/x.pdf", "%PDF-1.7\n1 0 obj <</JS (app.alert(1))>>\n"),
    _file("template that runs", "docs/x.jinja2", "{{ ''.__class__ }}"),
    # --- weights
    _file("ONNX with data outside", "models/model.onnx", _onnx_outside("../../../etc/passwd")),
    _file("ONNX with data at an absolute path", "models/model.onnx", _onnx_outside("/etc/passwd")),
    _file("ONNX with data beside it", "models/model.onnx", _onnx_outside("model.onnx.data")),
    _file("ONNX with operators of one's own", "models/model.onnx", _onnx_domain("evil", "Run")),
    _file(
        "ONNX with operators that run Python",
        "models/model.onnx",
        _onnx_domain("com.microsoft", "PyOp"),
    ),
    _file("ONNX that is none", "models/model.onnx", b"\xff" * 64),
    _file("engine of TensorRT", "models/model.engine", b"ftrt" + b"\0" * 60),
    _file("model of OpenVINO", "models/model.xml", "<net><layers/></net>"),
    _file("XML with entities of entities", "models/x.xml", '<!DOCTYPE x [<!ENTITY a "b">]><x/>'),
    _file("model of Core ML", "models/x.mlmodel", b"\x08\x01"),
    _file(
        "weights with a header longer than the file",
        "models/model.safetensors",
        _safetensors("{}", length=2**62),
    ),
    _file(
        "weights whose header has a key twice",
        "models/model.safetensors",
        _safetensors(
            '{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, '
            '"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}',
            b"x",
        ),
    ),
    _file(
        "weights whose tensors overlap",
        "models/model.safetensors",
        _safetensors(
            '{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, '
            '"b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}',
            b"xyz",
        ),
    ),
    _file(
        "weights with bytes that no tensor has",
        "models/model.safetensors",
        _safetensors(
            '{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}', b"x" + PYTHON.encode()
        ),
    ),
    _file(
        "weights whose header is too deep",
        "models/model.safetensors",
        _safetensors('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    ),
    _file("weights whose header is no JSON", "models/model.safetensors", _safetensors("{a}")),
    _file(
        "weights whose shape is beyond all memory",
        "models/model.safetensors",
        _safetensors(
            '{"a": {"dtype": "F32", "shape": [1099511627776], "data_offsets": [0, 4]}}', b"1234"
        ),
    ),
    # --- links and what is no file
    _changed("config that is a link", _link(CONFIG, "/etc/hostname"), CONFIG),
    _changed(
        "config that is a link to its neighbour",
        _link("configs/other.yaml", "inference.yaml"),
        "configs/other.yaml",
    ),
    _changed("dangling link", _link("docs/x.txt", "nowhere"), "docs/x.txt"),
    _changed("link to a folder above", _link("docs/up", ".."), "docs/up"),
    _changed("link to the root", _link("data", "/"), "data"),
    _changed("link to itself", _link("docs/loop", "loop"), "docs/loop"),
    _changed(
        "weights that are a link", _link("models.safetensors", "/dev/zero"), "models.safetensors"
    ),
    _changed("folder of configs that is a link", _linked_configs),
    _changed("pipe as a config", lambda f: os.mkfifo(f / "configs/pipe.yaml"), "configs/pipe.yaml"),
    _changed("pipe as a text", lambda f: os.mkfifo(f / "docs/pipe.txt"), "docs/pipe.txt"),
    _changed("socket", lambda f: _listen(f / "docs/s"), "docs/s"),
    _changed(
        "folder named as a config",
        lambda f: (
            (f / "configs/x.yaml/scripts").mkdir(parents=True)
            or (f / "configs/x.yaml/scripts/net.py").write_text(PYTHON)
        ),
    ),
    # --- sizes
    _changed("config of 20 GiB", _sparse("configs/big.json"), "configs/big.json"),
    _changed("text of 20 GiB", _sparse("docs/big.txt"), "docs/big.txt"),
    _changed("folders 300 deep", _deep),
    # --- names
    _file("line's end in a name", "docs/x\nverdict: safe\n.txt", "x"),
    _file("escape sequence in a name", "docs/x\x1b[2J\x1b[Hverdict: safe.txt", "x"),
    _file("name from right to left", "docs/x\u202etxt.exe", "x"),
    _file("zero width in a name", "docs/README\u200b.md", "x"),
    made("names that differ by case", TRUST, {"configs/Inference.yaml": base_config()}, None),
    _file("name of a device of Windows", "docs/NUL.txt", "x"),
    _file("name that ends in a dot", "docs/x.txt.", "x"),
    _file("backslash in a name", "docs\\..\\x.txt", "x"),
    _file("colon in a name", "docs/x.txt:stream", "x"),
    _file("hidden file", "docs/.hidden", "x"),
    _changed(
        "name that is not UTF-8",
        lambda f: Path(os.fsdecode(os.fsencode(f) + b"/docs/M\xfcller.txt")).write_text("x"),
    ),
    _file("file of no known kind", "docs/x.xyz", base64.b64encode(PYTHON.encode())),
    _file("config with a suffix for a backup", "configs/inference.yaml.bak", CODE),
    _file("config of TOML", "configs/x.toml", "x = 1\n"),
    _file("config of Hydra, which instantiates", "configs/x.cfg", "_target_ = os.mkdir\n"),
    made(
        "two names in two Unicode forms",
        TRUST,
        {"docs/\u00e9.txt": "x", "docs/e\u0301.txt": "y"},
        None,
    ),
]
