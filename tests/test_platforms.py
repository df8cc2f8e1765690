"""Every platform's text: no locale decides how a file is read, no user needs a name."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
MODULES = sorted((REPOSITORY / "medseg").rglob("*.py"))
# MONAI opens these itself, in the locale's encoding; the manifests are medseg's to read.
MONAIS = sorted(
    path
    for path in (REPOSITORY / "bundles").glob("*/configs/*")
    if path.suffix in (".yaml", ".conf") or path.name == "metadata.json"
)
# Modules whose `open` opens something else than a text file by its path.
OTHERS = {"os", "Image", "source", "files", "archive", "opener", "_blosc2()"}
# Without a name in the environment, and without an entry in the system's list of users.
NAMELESS = """
import os, pwd
def missing(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = missing
import medseg, getpass
print(getpass.getuser())
"""


def without_encoding(tree):
    """Lines of calls that read or write text in the encoding of the locale."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(k.arg == "encoding" for k in node.keywords):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        words = [ast.unparse(a) for a in (*node.args, *(k.value for k in node.keywords))]
        binary = any(word.startswith("'") and "b" in word for word in words)
        if name in ("read_text", "write_text") or (
            name == "open" and owner not in OTHERS and not binary
        ):
            yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_text_is_read_and_written_as_utf8_whatever_the_locale(path):
    lines = list(without_encoding(ast.parse(path.read_text(encoding="utf-8"))))
    assert not lines, f'{path}, lines {lines}: add encoding="utf-8"'


def test_the_search_for_encodings_finds_what_it_is_for():
    bad = "p.read_text()\np.write_text('b')\nopen(p)\np.open('w')\n"
    good = "p.read_text(encoding='utf-8')\np.open('rb')\nopen(p, 'wb')\nos.open(p, 0)\n"
    assert list(without_encoding(ast.parse(bad))) == [1, 2, 3, 4]
    assert list(without_encoding(ast.parse(good))) == []


@pytest.mark.parametrize("path", MONAIS, ids=lambda p: f"{p.parent.parent.name}/{p.name}")
def test_what_monai_reads_in_the_locales_encoding_is_plain_ascii(path):
    # Other letters by their escapes: "\\u00fc" in JSON.
    assert path.read_bytes().isascii()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no list of users by number")
def test_a_user_without_a_name_is_given_one_before_monai_asks_for_it():
    names = {"LOGNAME", "USER", "LNAME", "USERNAME"}
    environment = {name: text for name, text in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "user\n"), done.stderr
