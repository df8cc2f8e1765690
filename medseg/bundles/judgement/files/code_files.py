"""Files that are code, by their name or by their first bytes, whichever says so."""

import re
import sys

from medseg.bundles.judgement.files.finding import Finding
from medseg.bundles.judgement.files.word_list import words

__all__ = ["code_finding"]

_PYTHON = ("py", "pyw", "pyi", "pyx", "pxd", "ipy")
_COMPILED = words("pyc pyo pyd so dll dylib exe com scr sys o a lib elf wasm")
_SHELL = words("sh bash zsh csh fish ksh ps1 psm1 bat cmd vbs vbe wsf hta reg lnk desktop")
_OTHER = words("js mjs cjs tsx rb pl php lua r jl java jar class go c cc cpp h cu")
# What Python runs at its start where it finds it.
_OF_START = frozenset({"sitecustomize", "usercustomize"})
# Facts of an installed package, by which programs find plug-ins, and run them.
_PACKAGE_FACTS = (".dist-info", ".egg-info")
_PACKAGES = words(
    "medseg monai torch numpy ignite nibabel scipy safetensors yaml pydantic typer fire SimpleITK "
    "itk pydicom highdicom PIL skimage matplotlib tensorboard mlflow onnx openvino"
)
_MAGIC = (
    (b"\x7fELF", "a program (ELF)"),
    (b"\xfe\xed\xfa\xce", "a program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "a program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "a program (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a program (Mach-O or Java)"),
    (b"\x00asm", "a program (WebAssembly)"),
    (b"dex\n", "a program (Android)"),
)


def code_finding(path: str, head: bytes) -> Finding | None:
    """What kind of code a file is; None if it is none that is known.

    Args:
        path: In the bundle.
        head: Its first bytes.
    """
    name = path.lower()
    suffix = name.rpartition("/")[2].rpartition(".")[2] if "." in name else ""
    magic = _by_magic(head)
    if magic or suffix in _COMPILED or "__pycache__" in name.split("/"):
        what = magic or "compiled code, such as Python keeps in __pycache__"
        return Finding("refused", f"is {what}, which nobody can read; a bundle has no use for it")
    if any(part.endswith(_PACKAGE_FACTS) for part in name.split("/")):
        return Finding("refused", "tells programs of a package, of which they run the plug-ins")
    if suffix in _PYTHON:
        return _python(path)
    if suffix == "ipynb":
        return Finding("needs trust", "is a notebook, whose code runs when a user runs it")
    if suffix in _SHELL or suffix in _OTHER or head.startswith(b"#!"):
        return Finding("needs trust", "is a script or source code of the bundle's own")
    if suffix == "pth" and not head.startswith((b"PK", b"\x80")):
        return Finding("refused", "is a list of paths that Python runs at its start, no weights")
    return None


def _by_magic(head: bytes) -> str | None:
    if head.startswith(b"MZ") and b"\0" in head[:512]:
        return "a program (Windows)"
    # Compiled Python: a number of its version, and the line end that a copy as text would change.
    if re.match(rb"[\x00-\xff][\x0c-\x0f]\r\n", head):
        return "compiled Python"
    return next((what for magic, what in _MAGIC if head.startswith(magic)), None)


def _python(path: str) -> Finding:
    first, _, rest = path.partition("/")
    module = first.partition(".")[0]
    if module in sys.stdlib_module_names or module in _PACKAGES:
        return Finding(
            "refused", f"takes the place of {module}, which Python and its packages import"
        )
    if not rest and module in _OF_START:
        return Finding("refused", "is run by Python at its start, wherever it finds it")
    return Finding(
        "needs trust", "is Python of the bundle's own, which can do anything once it is imported"
    )
