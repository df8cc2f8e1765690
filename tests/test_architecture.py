"""The import directions drawn in docs/architecture.md, as tests."""

import ast
from pathlib import Path

import pytest

LAYERS = [
    {"_text", "errors"},
    {
        "_checks",
        "_csv",
        "_files",
        "_lazy",
        "_locks",
        "_memory",
        "_quiet",
        "_signals",
        "_streams",
        "_threads",
        "_user_folder",
    },
    {"data", "losses", "metrics", "networks", "transforms"},
    {"executor", "inference", "training"},
    {"bundles", "mending", "reports"},
    {"planning", "prediction", "sharing", "studies"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# The folders of medseg/data, and the files beside them.
DATA_LAYERS = [
    {"walk"},
    {
        "arguments",
        "case_files",
        "channel",
        "colours",
        "digest",
        "label_kind",
        "label_source",
        "nested",
        "output_names",
        "problems",
        "source",
        "wording",
    },
    {"known_folders", "limits", "patterns"},
    {"manifest"},
    {"dicom"},
    {"images", "phantoms"},
    {"datalists"},
    {"cases", "datasets"},
]
DATA_LEVEL = {name: level for level, names in enumerate(DATA_LAYERS) for name in names}
ROOT = Path(__file__).parents[1] / "medseg"
MODULES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")
DATA_MODULES = sorted(p for p in (ROOT / "data").rglob("*.py") if p != ROOT / "data/__init__.py")


def imported(path: Path) -> set[tuple[str, ...]]:
    """The modules of medseg that a file imports, as parts of their dotted names."""
    tree = ast.walk(ast.parse(path.read_text()))
    names = {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.module}
    return {tuple(name.split(".")[1:]) for name in names if name.startswith("medseg.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_lower_layers_or_its_own_package(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    above = {p[0] for p in imported(path) if p[0] != own and LEVEL[p[0]] >= LEVEL[own]}
    assert not above, f"medseg.{own} must not import {sorted(above)}: see docs/architecture.md"


@pytest.mark.parametrize("path", DATA_MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_folder_of_data_imports_only_from_the_folders_before_it(path):
    own = path.relative_to(ROOT / "data").parts[0].removesuffix(".py")
    others = {p[1] for p in imported(path) if p[0] == "data" and p[1:2] != (own,)}
    above = {part for part in others if DATA_LEVEL[part] >= DATA_LEVEL[own]}
    assert not above, f"medseg.data.{own} must not import {sorted(above)}: see architecture.md"
