"""The hub's own client commits a bundle and brings it back, against a local server of its protocol.

In a process of its own each time, since the client reads its address once.
"""

import importlib.util
import os
import subprocess
import sys

import pytest

from medseg.errors import UsageError
from medseg.sharing.publishing.hub import Repository
from tests.conftest import REPOSITORY
from tests.sharing.hub_server import serving
from tests.sharing.plain_bundles import packed_bundle

pytestmark = pytest.mark.hub


@pytest.fixture
def hub(tmp_path):
    if importlib.util.find_spec("huggingface_hub") is None:
        pytest.skip("no huggingface_hub (pip install 'medseg[hub]'): no hub tried")
    with serving() as (address, content):
        yield Client(address, tmp_path), content


class Client:
    """The command line of a user with a folder and a hub of their own."""

    def __init__(self, address, home):
        self.environment = {
            **{key: text for key, text in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": address,
            "HF_TOKEN": "hf_token",
            "HF_HOME": str(home / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "1",
            "MEDSEG_HOME": str(home / "medseg"),
            "PYTHONPATH": str(REPOSITORY),
        }

    def __call__(self, *words):
        code = "from medseg.cli.main import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, "bundle", *map(str, words)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def test_what_is_published_is_installed_whole_with_its_card_at_the_root(hub, tmp_path):
    run, content = hub
    packed = packed_bundle(tmp_path)
    done = run("publish", packed, "hf://clinic/ball")
    assert (done.returncode, done.stderr) == (0, "")
    files = content.commits[content.tags["1.0.0"]]
    assert files["README.md"] == files["docs/README.md"]
    done = run("install", "hf://clinic/ball@1.0.0")
    assert done.returncode == 0, done.stderr
    assert "installed: ball@1.0.0" in done.stdout
    assert "files: complete" in done.stdout
    listed = run("list")
    assert "ball" in listed.stdout
    assert not list((tmp_path / "medseg").rglob(".cache"))
    assert not list((tmp_path / "medseg").rglob("hub-*"))


def test_publishing_again_changes_nothing_and_another_content_is_refused(hub, tmp_path):
    run, content = hub
    first = run("publish", packed_bundle(tmp_path / "a"), "hf://clinic/ball")
    again = run("publish", packed_bundle(tmp_path / "a"), "hf://clinic/ball")
    assert (again.stdout, len(content.commits)) == (first.stdout, 1)
    other = packed_bundle(tmp_path / "b", description="other")
    done = run("publish", other, "hf://clinic/ball")
    assert done.returncode == 2
    assert "with another content; a published version stays" in done.stderr
    assert len(content.commits) == 1


def test_a_newer_version_on_the_branch_is_an_update(hub, tmp_path):
    run, _ = hub
    run("publish", packed_bundle(tmp_path), "hf://clinic/ball")
    assert run("install", "hf://clinic/ball").returncode == 0
    run("publish", packed_bundle(tmp_path, version="1.1.0"), "hf://clinic/ball")
    done = run("update", "ball")
    assert done.returncode == 0, done.stderr
    assert "ball@1.0.0: now ball@1.1.0" in done.stdout


def test_a_file_that_was_changed_on_the_hub_is_not_installed(hub, tmp_path):
    run, content = hub
    run("publish", packed_bundle(tmp_path), "hf://clinic/ball")
    content.commits[content.names["main"]]["LICENSE"] = b"another licence"
    done = run("install", "hf://clinic/ball")
    assert done.returncode == 3
    fetching, line = done.stderr.splitlines()
    assert fetching.startswith("fetching hf://clinic/ball@")
    assert line.endswith("its files are not those that were packed (changed: LICENSE)")


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/outside", "a\\b", "c:d"])
def test_a_name_that_leads_out_of_the_folder_is_not_taken(hub, tmp_path, name):
    run, content = hub
    run("publish", packed_bundle(tmp_path), "hf://clinic/ball")
    content.commits[content.names["main"]][name] = b"x"
    done = run("install", "hf://clinic/ball")
    assert done.returncode == 3
    assert "has a file" in done.stderr
    assert not list(tmp_path.rglob("outside"))


def test_what_is_not_there_is_one_line(hub):
    run, _ = hub
    done = run("install", "hf://clinic/nothing")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "medseg: hf://clinic/nothing@main: is not there, or not without a login; check the name, "
        "or hf auth login"
    ]


def test_a_hub_that_does_not_answer_is_one_line(hub):
    run, _ = hub
    run.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
    done = run("install", "hf://clinic/ball")
    assert done.returncode == 4
    assert "the hub was not reached" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["hf://", "hf://a", "hf://a/b/c", "hf://a/b@", "hf://../b@main"])
def test_what_is_no_address_of_the_hub_is_refused(text):
    with pytest.raises(UsageError, match="is not of the form hf://OWNER/NAME@REVISION"):
        Repository.parse(text)
