"""`medseg bundle pack` and `card` as their users run them."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medseg.cli.main import app
from medseg.errors import ExitCode, MedsegError
from tests.conftest import BUNDLE, REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")

# Without weights: no golden case has to be made.
RECIPE = REPOSITORY / "bundles" / "hela_cells_unet2d"


@pytest.fixture
def bundle(tmp_path) -> Path:
    copy = tmp_path / RECIPE.name
    shutil.copytree(RECIPE, copy, ignore=shutil.ignore_patterns("models", "eval"))
    return copy


def run(*arguments: object, code: int = 0):
    done = CliRunner().invoke(app, ["bundle", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def refused(*arguments: object, code: ExitCode) -> str:
    """The line of an error, which `main` prints."""
    error = CliRunner().invoke(app, ["bundle", *map(str, arguments)]).exception
    assert isinstance(error, MedsegError)
    assert error.exit_code == code
    return str(error)


def version_of(bundle: Path) -> str:
    return json.loads((bundle / "configs" / "metadata.json").read_text())["version"]


def test_a_bundle_becomes_one_zip_named_after_name_and_version(bundle, tmp_path):
    (tmp_path / "out").mkdir()
    done = run("pack", bundle, "-o", tmp_path / "out")
    (zipped,) = (tmp_path / "out").iterdir()
    assert zipped.name == f"{bundle.name}-{version_of(bundle)}.zip"
    assert str(zipped) in done.stdout
    assert f"{bundle.name}/digests.json" in zipfile.ZipFile(zipped).namelist()


def test_an_existing_zip_is_kept_unless_it_may_be_replaced(bundle, tmp_path):
    zipped = tmp_path / "x.zip"
    zipped.write_bytes(b"mine")
    told = refused("pack", bundle, "-o", zipped, code=ExitCode.USAGE)
    assert "already exists; use --overwrite" in told
    assert zipped.read_bytes() == b"mine"
    run("pack", bundle, "-o", zipped, "--overwrite")
    assert zipfile.is_zipfile(zipped)


def test_another_ending_is_refused(bundle, tmp_path):
    told = refused("pack", bundle, "-o", tmp_path / "x.tar", code=ExitCode.USAGE)
    assert "must end in .zip" in told


def test_a_dry_run_lists_what_would_go_in_and_writes_nothing(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    listed = [line.split()[-1] for line in run("pack", bundle, "--dry-run").stdout.splitlines()]
    assert {"LICENSE", "configs/inference.json", "digests.json"} <= set(listed)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_must_not_leave_is_told_line_by_line_and_nothing_is_written(bundle, tmp_path):
    (bundle / "scripts").mkdir()
    (bundle / "scripts" / "net.py").write_text("x")
    (bundle / "fold0.pt").write_bytes(b"x")
    done = run("pack", bundle, "-o", tmp_path / "x.zip", code=ExitCode.DATA)
    assert "error: scripts/net.py: is code" in done.stderr
    assert "error: fold0.pt: may be a pickle" in done.stderr
    assert "not packed, 2 things to mend" in done.stderr
    assert not (tmp_path / "x.zip").exists()


def test_json_says_the_same_to_programs(bundle, tmp_path):
    told = json.loads(run("pack", bundle, "-o", tmp_path / "x.zip", "--json").stdout)
    assert told["file"] == str(tmp_path / "x.zip")
    assert told["name"] == bundle.name
    assert told["problems"] == []
    (bundle / "x.pkl").write_bytes(b"x")
    told = json.loads(run("pack", bundle, "--json", code=ExitCode.DATA).stdout)
    assert told["file"] is None
    assert told["problems"][0].startswith("x.pkl: ")


def test_a_folder_that_is_no_bundle_is_refused_in_a_line(tmp_path):
    told = refused("pack", tmp_path, code=ExitCode.DATA)
    assert "configs/metadata.json: cannot read the metadata" in told


def test_card_tells_whether_it_wrote_and_check_writes_nothing(tmp_path):
    copy = tmp_path / BUNDLE.name
    shutil.copytree(BUNDLE, copy, ignore=shutil.ignore_patterns("eval", "*.pt"))
    card = copy / "docs" / "README.md"
    run("card", copy, "--check")
    card.write_text("# By hand\n")
    assert "update it by medseg bundle card" in run("card", copy, "--check", code=3).stdout
    assert card.read_text() == "# By hand\n"
    assert "written" in run("card", copy).stdout
    assert "is as it should be" in run("card", copy).stdout
