"""The import direction drawn in docs/architecture.md, as a test."""

import ast
from pathlib import Path

import pytest

LAYERS = [
    {"_checks", "_files", "errors"},
    {"data", "losses", "metrics", "networks", "transforms"},
    {"inference", "training"},
    {"bundles", "reports", "studies"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ROOT = Path(__file__).parents[1] / "medseg"
MODULES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


def part(module: str) -> str:
    return module.split(".")[1]


def imported_parts(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text()))
    names = {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.module}
    return {part(name) for name in names if name.startswith("medseg.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_lower_layers_or_its_own_package(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    above = {p for p in imported_parts(path) - {own} if LEVEL[p] >= LEVEL[own]}
    assert not above, f"medseg.{own} must not import {sorted(above)}: see docs/architecture.md"
