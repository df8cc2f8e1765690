"""`medseg bundle check` as its users have it."""

import json
import shutil

import pytest

from tests.conftest import BUNDLE

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_bundle_that_keeps_the_contract_is_told_so(command, capsys):
    assert command("bundle", "check", BUNDLE) == 0
    assert capsys.readouterr().out == f"{BUNDLE}: keeps MONAI's contract\n"


def test_each_breach_is_a_line_and_exit_3(tmp_path, command, capsys):
    ignored = shutil.ignore_patterns("models", "eval", "LICENSE")
    bundle = shutil.copytree(BUNDLE, tmp_path / BUNDLE.name, ignore=ignored)
    assert command("bundle", "check", bundle) == 3
    assert capsys.readouterr().out == f"{bundle}/LICENSE: is missing\n"
    assert command("bundle", "check", bundle, "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert found["breaches"] == [{"file": "LICENSE", "text": "is missing"}]


def test_what_is_no_bundle_is_one_line(tmp_path, command, capsys):
    for path in (tmp_path, tmp_path / "nowhere"):
        assert command("bundle", "check", path) in (2, 3)
        assert capsys.readouterr().err.count("\n") == 1
