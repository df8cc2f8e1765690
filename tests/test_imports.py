"""Importing a module imports no more than it needs; code imports from files, people from faces."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "medseg"
FACES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if "attach(" in path.read_text()
)
HEAVY = {"torch", "monai", "ignite", "SimpleITK", "highdicom", "openvino", "matplotlib"}
LIGHT = ["bundles.metadata", "cli.predict", "data.dicom.find", "data.manifest", "prediction.ledger"]


@pytest.mark.parametrize("module", LIGHT)
def test_a_light_module_imports_no_heavy_library(module):
    code = f"import medseg.{module}, sys; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert not HEAVY & set(ended.stdout.split())


@pytest.mark.parametrize("package", FACES)
def test_a_face_gives_every_name_it_lists_and_no_other(package):
    face = import_module(f"medseg.{package}")
    for name in face.__all__:
        assert getattr(face, name) is not None
        assert name in dir(face)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing


@pytest.mark.parametrize("package", FACES)
def test_no_name_of_a_face_is_that_of_a_file(package):
    files = {path.stem for path in (ROOT / package).iterdir()}
    assert not files & set(import_module(f"medseg.{package}").__all__)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_code_imports_from_files_not_from_faces(path):
    tree = ast.walk(ast.parse(path.read_text()))
    modules = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
    assert not modules & {f"medseg.{package}" for package in FACES}
