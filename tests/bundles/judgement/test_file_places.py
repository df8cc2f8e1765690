"""Files of a bundle: plain data on the list passes, by name and by content; all else is a place."""

import builtins
import collections
import io
import json
import marshal
import os
import pickle
import socket
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg._locks import LOCK
from medseg.bundles.judgement.files.file_places import file_places
from medseg.bundles.judgement.tree import FolderTree
from medseg.bundles.judgement.zips.zip_tree import ZipTree
from medseg.networks.weights_file import signed_weights
from tests.bundles.judgement.zips import zip_of

BUNDLES = sorted(path.parent for path in Path("bundles").glob("*/configs"))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
ELF = b"\x7fELF\2\1\1" + bytes(60)
WINDOWS = b"MZ\x90\0" + bytes(200)


def places_of(folder, files):
    """Places of a bundle with these files, as (file, grade, reason)."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return [(p.file, p.grade, p.reason) for p in file_places(FolderTree(folder))]


def saved(state, **options):
    """Bytes of `torch.save`."""
    file = io.BytesIO()
    torch.save(state, file, **options)
    return file.getvalue()


def array(values, **options):
    """Bytes of `numpy.save`."""
    file = io.BytesIO()
    np.save(file, values, **options)
    return file.getvalue()


def arrays(**values):
    """Bytes of `numpy.savez`."""
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def zipped():
    """Bytes of a small zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("__main__.py", "1")
    return file.getvalue()


def script():
    """Bytes of a network as TorchScript."""
    file = io.BytesIO()
    module = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    torch.jit.save(module, file)
    return file.getvalue()


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_bundles_of_medseg_hold_plain_data_in_a_folder_and_in_a_zip(bundle, tmp_path):
    assert file_places(FolderTree(bundle)) == []
    files = {
        f"{bundle.name}/{path}": (bundle / path).read_bytes()
        for path in FolderTree(bundle).entries
        if not path.startswith("eval/")
    }
    assert file_places(ZipTree(zip_of(tmp_path / "a.zip", files))) == []


STATE = {"layer.weight": torch.zeros(2, 3), "steps": torch.tensor(3), "epoch": 4, "name": "unet"}
PLAIN = {
    "LICENSE": "free",
    "README.md": "# Lungs\n\n[paper](https://example.org/a)\n\n![x](docs/a.png)\n",
    "docs/a.png": PNG,
    "docs/b.jpg": b"\xff\xd8\xff\xe0" + bytes(20),
    "docs/named_wrongly.png": b"\xff\xd8\xff\xe0" + bytes(20),
    "docs/scores.csv": "case,dsc\na,0.9\n",
    "docs/größe.txt": "Größe",
    "golden/case.json": "{}",
    "golden/image.nii.gz": b"\x1f\x8b\x08\0" + bytes(20),
    "golden/image.nii": struct.pack("<i", 348) + bytes(400),
    "requirements.txt": "medseg==0.6.0\nmonai[ignite, nibabel]>=1.6.1,<2  # as tested\n\n# torch\n",
    "models/model.pt": saved(STATE),
    "models/ordered.pt": saved(collections.OrderedDict(STATE)),
    "models/half.pth": saved({"a": torch.zeros(3, dtype=torch.float16)}),
    "models/network.pt": saved(torch.nn.Conv2d(1, 2, 3).state_dict()),
    "models/old.pt": saved(STATE, _use_new_zipfile_serialization=False),
    "models/optimiser.ckpt": saved(torch.optim.Adam([torch.zeros(2)]).state_dict()),
    "models/parameter.pt": saved(torch.nn.Parameter(torch.zeros(2))),
    "eval/features.npy": array(np.zeros((2, 3))),
    "eval/facts.npz": arrays(a=np.zeros(2), b=np.ones((2, 2), bool)),
    "eval/events.out.tfevents.1795929417.host.1.0": b"\x18\0\0\0" + bytes(30),
    "eval/metrics.jsonl": '{"epoch": 1}\n',
    "eval/ledger.sqlite": b"SQLite format 3\0" + bytes(80),
    ".gitattributes": "*.pt filter=lfs\n",
}


@pytest.mark.parametrize("path", PLAIN)
def test_a_file_of_plain_data_is_no_place(path, tmp_path):
    assert places_of(tmp_path, {path: PLAIN[path]}) == []


CODE = {
    "scripts/net.py": ("import torch", "needs trust", "Python of the bundle's own"),
    "scripts/__init__.py": ("", "needs trust", "Python of the bundle's own"),
    "configs/metadata.json.py": ("x = 1", "needs trust", "Python of the bundle's own"),
    "SCRIPTS/NET.PY": ("x = 1", "needs trust", "Python of the bundle's own"),
    "mimetypes.py": ("x = 1", "refused", "takes the place of mimetypes"),
    "torch/__init__.py": ("x = 1", "refused", "takes the place of torch"),
    "medseg/networks/unet.py": ("x = 1", "refused", "takes the place of medseg"),
    "sitecustomize.py": ("x = 1", "refused", "run by Python at its start"),
    "plugin-1.0.dist-info/entry_points.txt": ("[a]\nb = os:system", "refused", "plug-ins"),
    "hook.pth": ("import os; os.system('true')", "refused", "runs at its start"),
    "models/model.pth": ("import os", "refused", "runs at its start"),
    "scripts/__pycache__/net.cpython-311.pyc": (
        b"\xa7\x0d\r\n" + bytes(12) + marshal.dumps(compile("1", "a", "eval")),
        "refused",
        "nobody can read",
    ),
    "docs/notes.txt": (b"\xa7\x0d\r\n" + bytes(20), "refused", "compiled Python"),
    "ops/_C.so": (ELF, "refused", "a program (ELF)"),
    "docs/figure.png": (ELF, "refused", "a program (ELF)"),
    "models/model.safetensors": (ELF, "refused", "a program (ELF)"),
    "docs/reader": (WINDOWS, "refused", "a program (Windows)"),
    "docs/reader.exe": ("x", "refused", "nobody can read"),
    "docs/train.sh": ("#!/bin/sh\ntrue\n", "needs trust", "a script"),
    "docs/run": ("#!/bin/sh\ntrue\n", "needs trust", "a script"),
    "docs/figure.txt": ("#!/usr/bin/env python\n", "needs trust", "a script"),
    "docs/demo.ipynb": ("{}", "needs trust", "a notebook"),
    "docs/page.js": ("alert(1)", "needs trust", "a script"),
    "docs/page.html": ("<p>hi</p>", "needs trust", "a page, which runs in the browser"),
    "docs/figure.svg": (
        "<svg><script>1</script></svg>",
        "needs trust",
        "a drawing with scripts",
    ),
    "docs/paper.pdf": (b"%PDF-1.7\n" + bytes(9), "needs trust", "can hold scripts"),
    "Makefile": ("all:\n\ttrue\n", "needs trust", "no kind that the rules list"),
    "pyproject.toml": ("[tool]", "needs trust", "no kind that the rules list"),
    "events.out.tfevents.tar.gz": (b"\x1f\x8b\x08", "needs trust", "an archive within"),
    "docs/data.zip": (b"PK\3\4", "needs trust", "an archive within"),
    "docs/data.tar.gz": (b"\x1f\x8b\x08", "needs trust", "an archive within"),
    ".hidden/a.txt": ("x", "needs trust", "is hidden"),
    "docs/.env": ("A=1", "needs trust", "is hidden"),
    "docs/a.txt": (b"PK\3\4" + b"\xff" * 9, "refused", "no text in UTF-8, as its name says, but a"),
    "docs/b.txt": (pickle.dumps("x"), "refused", "but a pickle"),
    "docs/c.md": ("Größe".encode("latin-1"), "needs trust", "no text in UTF-8"),
    "docs/d.csv": ("a\0b", "refused", "no text in UTF-8"),
    "docs/e.png": ("<html>", "refused", "not what its name says, but unknown content"),
    "golden/image.nii.gz": ("x", "refused", "not what its name says"),
    "docs/logo.png": (PNG + zipped(), "needs trust", "a picture and a zip at once"),
}


@pytest.mark.parametrize("path", CODE)
def test_code_and_what_is_not_what_its_name_says_is_a_place(path, tmp_path):
    content, grade, words = CODE[path]
    ((file, found, reason), *_) = places_of(tmp_path, {path: content})
    assert (file, found) == (path, grade)
    assert words in reason


def stack_global(module, name):
    """A pickle of protocol 4 that calls a function by names from its stack."""
    return b"\x80\x04\x8c%c%b\x8c%c%b\x93)R." % (len(module), module, len(name), name)


def torch_zip(**records):
    """A zip as `torch.save` writes it, with other records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, content in records.items():
            written.writestr(f"archive/{name}", content)
    return file.getvalue()


SYSTEM = Calls(os.system, "true")
PICKLES = {
    "os.system": ("models/a.pt", saved(SYSTEM), "refused", "posix.system"),
    "exec": ("models/a.pt", saved(Calls(exec, "1")), "refused", "__builtin__.exec"),
    "eval in the old form": (
        "models/a.pt",
        saved(Calls(eval, "1"), _use_new_zipfile_serialization=False),
        "refused",
        "eval",
    ),
    "getattr": ("models/a.pt", saved(Calls(getattr, 1, "real")), "refused", "getattr"),
    "a process": (
        "models/a.pt",
        saved(Calls(subprocess.call, "true")),
        "refused",
        "calls ",
    ),
    "a socket": ("models/a.pt", saved(Calls(socket.socket)), "refused", "socket.socket"),
    "a module of torch that holds os": (
        "models/a.pt",
        torch_zip(**{"data.pkl": stack_global(b"torch.serialization", b"os.system")}),
        "refused",
        "torch.serialization.os.system",
    ),
    "a class of its own": (
        "models/a.pt",
        saved({"net": torch.nn.Linear(1, 1)}),
        "needs trust",
        "torch.nn.modules.linear.Linear",
    ),
    "torch's own loader": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02ctorch\nload\nX\x01\0\0\0a\x85R."}),
        "needs trust",
        "torch.load",
    ),
    "names from the stack": (
        "models/a.pt",
        torch_zip(**{"data.pkl": stack_global(b"collections", b"OrderedDict")}),
        "needs trust",
        "by other steps",
    ),
    "the registry of extensions": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02\x82\x01)R."}),
        "needs trust",
        "EXT1",
    ),
    "an end that is missing": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02cos\nsystem\n"}),
        "refused",
        "os.system",
    ),
    "bytes after its end": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02N.\x80\x02N."}),
        "refused",
        "bytes after its end",
    ),
    "two records of one name": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02N.", "DATA.PKL": pickle.dumps(SYSTEM, 2)}),
        "refused",
        "two records of one name",
    ),
    "another pickle in the zip": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02N.", "extra.pkl": pickle.dumps(SYSTEM, 2)}),
        "refused",
        "posix.system",
    ),
    "a stranger in the zip": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02N.", "run.txt": b""}),
        "needs trust",
        "no tensor's",
    ),
    "bytes before the zip": (
        "models/a.pt",
        b"PK\3\4" + saved(STATE),
        "refused",
        "as a zip it",
    ),
    "TorchScript": ("models/model.ts", script(), "needs trust", "a program (TorchScript)"),
    "tensors by the name of a program": ("models/a.ts", saved(STATE), "needs trust", "a program"),
    "a pickle where TorchScript has files": (
        "models/a.pt",
        torch_zip(**{"data.pkl": b"\x80\x02N.", "extra/config.p": pickle.dumps(SYSTEM)}),
        "needs trust",
        "no tensor's",
    ),
    "TorchScript by another name": ("models/model.pt", script(), "needs trust", "TorchScript"),
    "a pickle": ("models/a.pkl", pickle.dumps([1]), "needs trust", "a pickle, which runs code"),
    "an array of objects": (
        "docs/a.npy",
        array(np.array([SYSTEM], dtype=object), allow_pickle=True),
        "needs trust",
        "which numpy unpickles",
    ),
    "arrays of objects": (
        "docs/a.npz",
        arrays(a=np.array([SYSTEM], dtype=object)),
        "refused",
        "posix.system",
    ),
    "no array": ("docs/a.npy", b"\x93NUMPY\1\0\xff\xff{", "refused", "no numpy array"),
    "no torch file": ("models/model.bin", b"123", "needs trust", "no file of torch"),
}


@pytest.mark.parametrize("kind", PICKLES)
def test_a_pickle_that_calls_is_a_place_and_is_never_loaded(kind, tmp_path):
    path, content, grade, words = PICKLES[kind]
    found = places_of(tmp_path, {path: content})
    assert (path, grade) in [place[:2] for place in found]
    assert any(words in reason for _, _, reason in found), found


@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**70), 2**70),
            st.floats(),
            st.text(max_size=20),
            st.just(torch.zeros(2)),
            st.just(torch.zeros(1, dtype=torch.bool)),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(max_size=5), inner, max_size=3),
            st.tuples(inner, inner),
        ),
        max_leaves=8,
    )
)
def test_what_torch_saves_and_loads_as_weights_only_is_plain_data(tmp_path_factory, state):
    content = saved(state)
    torch.load(io.BytesIO(content), weights_only=True)
    assert places_of(tmp_path_factory.mktemp("bundle"), {"models/model.pt": content}) == []


@given(module=st.sampled_from(sorted(sys.stdlib_module_names)), name=st.sampled_from(dir(builtins)))
def test_no_function_of_the_standard_library_is_plain_data_in_a_pickle(
    tmp_path_factory, module, name
):
    content = b"\x80\x02c%b\n%b\n)R." % (module.encode(), name.encode())
    folder = tmp_path_factory.mktemp("bundle")
    assert places_of(folder, {"models/model.pt": torch_zip(**{"data.pkl": content})})


def weights(header, content=b""):
    """Bytes of a safetensors file."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


TENSOR = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def test_weights_pass_if_their_header_agrees_with_the_file(tmp_path):
    good = weights(TENSOR, bytes(8))
    assert places_of(tmp_path, {"models/model.safetensors": good}) == []
    signed = signed_weights(good, {"settings": "{}"})
    assert places_of(tmp_path, {"models/model.safetensors": signed}) == []
    for bad in (good[:-1], good + b"x", b"", pickle.dumps(1), b"\xff" * 40):
        ((_, grade, reason),) = places_of(tmp_path, {"models/model.safetensors": bad})
        assert (grade, "not a readable safetensors file" in reason) == ("refused", True)


def test_weights_whose_header_has_a_key_twice_are_refused(tmp_path):
    text = json.dumps(TENSOR)
    twice = f"{text[:-1]}, {text[1:]}".encode()
    content = struct.pack("<Q", len(twice)) + twice + bytes(8)
    ((_, grade, reason),) = places_of(tmp_path, {"models/model.safetensors": content})
    assert (grade, "a key twice" in reason) == ("refused", True)


def test_links_pipes_and_strange_names_are_refused(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a\nb.txt").write_text("x")
    (tmp_path / "A.txt").write_text("x")
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "nul.txt").write_text("x")
    found = {place.file: place for place in file_places(FolderTree(tmp_path))}
    assert {place.grade for place in found.values()} == {"refused"}
    assert set(found) == {"link", "folder", "pipe", "a\nb.txt", "A.txt", "a.txt", "nul.txt"}
    assert all(str(place).isprintable() for place in found.values())
    assert "is the same file as 'A.txt' on some systems" in found["a.txt"].reason


LOGS = {
    "console": ("class=StreamHandler\nargs=(sys.stdout,)", None),
    "console in full": ("class=logging.StreamHandler\nargs=(sys.stderr, )", None),
    "nothing": ("class=NullHandler\nargs=()", None),
    "a file": ("class=FileHandler\nargs=('training.log',)", "needs trust"),
    "a file by its full name": ("class=logging.FileHandler\nargs=('a', 'w')", "needs trust"),
    "a socket": ("class=handlers.SocketHandler\nargs=('host', 1)", "needs trust"),
    "mail": ("class=logging.handlers.SMTPHandler\nargs=('h','f','t','s')", "needs trust"),
    "code in args": ("class=StreamHandler\nargs=(__import__('os').system('true'),)", "refused"),
    "code in class": ("class=eval('1')\nargs=()", "refused"),
    "an attribute": ("class=StreamHandler\nargs=(sys.modules,)", "needs trust"),
    "keywords": ("class=StreamHandler\nargs=()\nkwargs={'stream': sys.stdout}", "refused"),
    "a value from another line": ("x=1\nclass=StreamHandler\nargs=%(x)s", "refused"),
    "a value in a second line": ("class=StreamHandler\nargs=(\n sys.stdout,)", "needs trust"),
    "an option with a colon": ("class=StreamHandler\nargs: (sys.modules,)", "needs trust"),
}


@pytest.mark.parametrize("kind", LOGS)
def test_logging_may_write_to_the_console_alone(kind, tmp_path):
    lines, grade = LOGS[kind]
    text = f"[loggers]\nkeys=root\n[handlers]\nkeys=one\n[handler_one]\n{lines}\nlevel=INFO\n"
    found = places_of(tmp_path, {"configs/logging.conf": text})
    assert ({place[1] for place in found} or {None}) & {grade}


def test_a_line_of_logging_ends_where_pythons_loader_ends_it(tmp_path):
    # To Python the whole is one line, of the section before it.
    text = "[handler_a]\nlevel=INFO\x85[formatter_b]\nformat=x\u2028args=(sys.modules,)\n"
    found = places_of(tmp_path, {"configs/logging.conf": text})
    assert [reason.partition(":")[0] for _, _, reason in found][:1] == [
        "level = INFO\\x85[formatter_b]"
    ]


def test_a_place_in_logging_has_its_line_and_section(tmp_path):
    (tmp_path / "configs").mkdir()
    text = "[handler_one]\nclass=FileHandler\n"
    (tmp_path / "configs/logging.conf").write_text(text)
    (place,) = file_places(FolderTree(tmp_path))
    assert str(place).startswith("configs/logging.conf:2: [handler_one]: class = FileHandler: ")


CARDS = {
    "[a](file:///etc/passwd)": True,
    "[a](javascript:alert(1))": True,
    "[a](JaVaScRiPt:alert(1))": True,
    "[a]( <java\tscript:alert(1)>)": True,
    "[a](&#106;avascript:alert(1))": True,
    "[a]: vbscript:run": True,
    "<javascript:alert(1)>": True,
    "<a href='data:text/html,hi'>a</a>": True,
    "<img src=x onerror='alert(1)'>": True,
    "<script>alert(1)</script>": True,
    "< iframe src=x>": True,
    "[a](https://example.org/a?b=file:c)": False,
    "[a](docs/b.md)": False,
    "a \\`<script>`": True,
    "<div>\n```\n<script>1</script>": True,
    "<img\nonerror\n=\n'alert(1)'>": True,
    "<meta http-equiv=refresh content='0;url=x'>": True,
    "`--shape <form> --dir <base> --config_file x.yaml`": False,
    "the data: 35 cases; script: no": False,
    "<img src='docs/a.png' width=300>": False,
    "<https://example.org>": False,
}


@pytest.mark.parametrize("line", CARDS)
def test_a_link_or_mark_that_runs_something_is_a_place_in_a_card(line, tmp_path):
    found = places_of(tmp_path, {"docs/README.md": f"# Title\n\n{line}\n"})
    assert [grade for _, grade, _ in found] == ["needs trust"] * CARDS[line]


REQUIREMENTS = {
    "medseg==0.6.0": False,
    "monai[ignite,nibabel] >= 1.6.1, < 2": False,
    "# pip install -r": False,
    f"medseg==0.6.0 --hash=sha256:{64 * 'a'}": False,
    'tomli==2.0; python_version < "3.11"': False,
    "medseg==0.6.0; python_version --index-url=https://example.org": True,
    "-r other.txt": True,
    "--index-url https://example.org": True,
    "--extra-index-url=https://example.org": True,
    "-e .": True,
    "medseg @ https://example.org/medseg.whl": True,
    "git+https://example.org/a.git": True,
    "./local": True,
    "https://example.org/a.whl": True,
}


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_requirements_are_names_with_versions(line, tmp_path):
    found = places_of(tmp_path, {"requirements.txt": f"numpy\n{line}\n"})
    assert [grade for _, grade, _ in found] == ["needs trust"] * REQUIREMENTS[line]


SHA256 = "'" + 64 * "0" + "'"
LARGE = {
    f"{{path: models/a.pt, url: 'https://h/a', hash_type: sha256, hash_val: {SHA256}}}": None,
    "{path: models/a.pt, url: 'https://h/a', hash_type: md5, hash_val: '0'}": "needs trust",
    "{path: models/a.pt, url: 'https://h/a'}": "needs trust",
    f"{{path: models/a.pt, url: 'http://h/a', hash_type: sha256, hash_val: {SHA256}}}": (
        "needs trust"
    ),
    f"{{path: models/a.pt, url: 'file:///a', hash_type: sha256, hash_val: {SHA256}}}": (
        "needs trust"
    ),
    f"{{path: scripts/a.py, url: 'https://h/a', hash_type: sha256, hash_val: {SHA256}}}": (
        "needs trust"
    ),
    "{path: ../a.pt, url: 'https://h/a'}": "refused",
    "{path: /etc/a.pt, url: 'https://h/a'}": "refused",
    "{url: 'https://[h/a'}": "needs trust",
    "3": "needs trust",
}


@pytest.mark.parametrize("entry", LARGE)
def test_large_files_come_by_https_into_models_with_a_sha256(entry, tmp_path):
    found = places_of(tmp_path, {"large_files.yml": f"large_files:\n- {entry}\n"})
    assert [place[1] for place in found] == [grade for grade in [LARGE[entry]] if grade]
    for place in file_places(FolderTree(tmp_path)):
        assert (place.line, place.key) == (2, "large_files#0")


def test_a_file_of_many_places_tells_the_first_and_every_kind_of_verdict(tmp_path):
    card = "[a](javascript:b)\n" * 500
    assert len(places_of(tmp_path, {"docs/README.md": card})) == 100
    entries = "".join(f"- {{path: a{n}, url: 'https://h/a'}}\n" for n in range(200))
    found = places_of(tmp_path, {"large_files.yml": f"large_files:\n{entries}- {{path: /a}}\n"})
    assert "refused" in {grade for path, grade, _ in found if path == "large_files.yml"}


def test_what_a_small_file_unpacks_to_is_not_all_read(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("archive/data.pkl", b"\x80\x02" + b"N" * 2**26)
    tracemalloc.start()
    found = places_of(tmp_path, {"models/model.pt": file.getvalue()})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "more than 16 MiB" in found[0][2]
    assert peak < 2**26


def test_reasons_are_one_line_whatever_the_file_holds(tmp_path):
    files = {
        "models/a.pt": torch_zip(**{"data.pkl": b"\x80\x02cos\rx\x1b[2J\nsystem\n)R."}),
        "requirements.txt": "\x1b[2Jx @ y",
        "configs/logging.conf": "[handler_a]\nclass=\x1b[2J(\n",
    }
    for _, _, reason in places_of(tmp_path, files):
        assert reason.isprintable()


def test_the_lock_that_a_training_into_models_leaves_is_no_place(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / LOCK).write_text("radiology, process 12\n")
    assert list(file_places(FolderTree(tmp_path))) == []
