"""requirements.txt, which `make install` installs by its hashes, holds what medseg asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import REPOSITORY

PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)


def pins(name):
    """Version of each package in a file, by its name as PyPI spells it."""
    return {
        canonicalize_name(package): version
        for package, version in PIN.findall((REPOSITORY / name).read_text())
    }


def asked_for():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *extras["dev"], *extras["onnx"]]
    names = {canonicalize_name(Requirement(text).name) for text in texts}
    # Installed on its own: its file depends on the machine.
    return names - {"medseg", "torch"}


@pytest.mark.parametrize("name", ["requirements.txt", ".ci/tools.txt"])
def test_every_package_has_the_hashes_of_its_files(name):
    text = (REPOSITORY / name).read_text()
    for entry in re.split(r"\n(?=[\w.-]+==)", text)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry.split()[0]
    assert set(re.findall(r"--hash=(\w+):", text)) == {"sha256"}


def test_what_is_installed_is_what_constraints_pin():
    constraints = pins("constraints.txt")
    assert {name: constraints.get(name) for name in pins("requirements.txt")} == pins(
        "requirements.txt"
    ), "run `make lock`"


def test_whatever_medseg_asks_for_is_installed():
    assert asked_for() <= pins("requirements.txt").keys(), "run `make lock`"


def test_pip_itself_and_what_builds_medseg_are_pinned():
    assert {"pip", "setuptools"} <= pins("requirements.txt").keys()
