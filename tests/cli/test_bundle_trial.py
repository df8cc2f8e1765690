"""`medseg bundle test` as its users have it."""

import json
import shutil

import numpy as np
import pytest

from tests.sharing.test_trial import write_case


@pytest.fixture(scope="module")
def packed(trained, phantoms, tmp_path_factory):
    bundle = tmp_path_factory.mktemp("packed") / trained.name
    shutil.copytree(trained, bundle, ignore=shutil.ignore_patterns("eval"))
    (bundle / "golden").mkdir()
    shutil.copy(phantoms / "images" / "phantom_003.nii.gz", bundle / "golden" / "image.nii.gz")
    write_case(bundle)
    return bundle


TORCH = ["--engine", "torch", "--precision", "fp32"]


def test_a_bundle_that_does_what_it_did_is_told_so(packed, command, capsys):
    assert command("bundle", "test", packed, *TORCH) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert "torch fp32: the very label that is expected" in first
    assert last == f"{packed}: does here what it did where it was packed"


def test_a_bundle_that_does_something_else_is_exit_3(packed, tmp_path, command, capsys):
    bundle = shutil.copytree(packed, tmp_path / packed.name)
    write_case(bundle, np.zeros((40, 32, 24), np.uint8))
    assert command("bundle", "test", bundle, *TORCH) == 3
    first, last = capsys.readouterr().out.splitlines()
    assert "ANOTHER LABEL: DSC lung 0.0000" in first
    assert "does NOT do here what it did" in last
    assert command("bundle", "test", bundle, *TORCH, "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], found["engines"][0]["outcome"]) == (False, "far")


def test_a_bundle_without_a_golden_case_is_one_line(trained, command, capsys):
    assert command("bundle", "test", trained) == 3
    assert capsys.readouterr().err.count("\n") == 1
