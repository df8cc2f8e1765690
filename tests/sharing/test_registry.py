"""A real OCI registry takes a bundle and hands it back: publish, install, update.

Debian's docker-registry is started on loopback, with a folder of its own.
"""

import importlib.util
import json
import shutil
import subprocess

import pytest

from medseg.errors import DataError, MachineError, UsageError
from medseg.sharing.publishing.oci_registry import Reference
from medseg.sharing.publishing.publish import publish
from medseg.sharing.sources.fetch import fetch, find
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.install import install
from medseg.sharing.store.store import find_installed
from medseg.sharing.store.update import update
from tests.pacs.test_orthanc import WAIT_S, free_port, wait_for
from tests.sharing.plain_bundles import files_of, listed, make_zip, packed_bundle

CONFIGURATION = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The host of a registry of the test's own."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry on this machine (apt: docker-registry): no registry tried")
    if importlib.util.find_spec("oras") is None:
        pytest.skip("no oras (pip install 'medseg[oci]'): no registry tried")
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    settings = folder / "registry.yml"
    settings.write_text(CONFIGURATION.format(folder=folder / "stored", port=port))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", settings], stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/v2/", process, folder / "registry.log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(WAIT_S)


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))
    # No login of whoever runs the tests.
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.registry
def test_what_is_published_under_a_tag_is_installed_by_it(registry, tmp_path):
    packed = packed_bundle(tmp_path)
    target = f"oci://{registry}/radiology/ball:1.0.0"
    said = publish(packed, target)
    assert said.startswith(f"{target}: ball@1.0.0, sha256 ")
    done = install(parse_source(target)).installed
    assert (done.record.name, done.record.version) == ("ball", "1.0.0")
    assert done.record.listed == "complete"
    assert find_installed("ball").folder == done.folder
    assert not list((tmp_path / "home").rglob("*.zip"))


@pytest.mark.registry
def test_the_layer_is_the_zip_byte_by_byte(registry, tmp_path):
    packed = packed_bundle(tmp_path)
    target = f"oci://{registry}/bytes:1"
    publish(packed, target)
    found = find(parse_source(target))
    assert found.text.startswith(f"oci://{registry}/bytes@sha256:")
    assert fetch(found, tmp_path / "downloads").read_bytes() == packed.read_bytes()


@pytest.mark.registry
def test_a_download_that_was_cut_is_continued(registry, tmp_path):
    packed = packed_bundle(tmp_path)
    target = f"oci://{registry}/cut:1"
    publish(packed, target)
    found = find(parse_source(target))
    folder = tmp_path / "downloads"
    part = folder / f"oci-{found.sha256[:16]}.part"
    folder.mkdir()
    part.write_bytes(packed.read_bytes()[:100])
    assert fetch(found, folder).read_bytes() == packed.read_bytes()


@pytest.mark.registry
def test_a_damaged_beginning_is_not_taken_for_the_zip(registry, tmp_path):
    packed = packed_bundle(tmp_path)
    target = f"oci://{registry}/damaged:1"
    publish(packed, target)
    found = find(parse_source(target))
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / f"oci-{found.sha256[:16]}.part").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="another content than its digest says; try again"):
        fetch(found, folder)
    assert fetch(found, folder).read_bytes() == packed.read_bytes()


@pytest.mark.registry
def test_publishing_again_changes_nothing_and_another_content_is_refused(registry, tmp_path):
    target = f"oci://{registry}/again:1.0.0"
    first = publish(packed_bundle(tmp_path / "a"), target)
    assert publish(packed_bundle(tmp_path / "a"), target) == first
    other = packed_bundle(tmp_path / "b", description="other")
    with pytest.raises(UsageError, match=r"has another content.*under another tag"):
        publish(other, target)
    assert publish(packed_bundle(tmp_path / "a"), target) == first


@pytest.mark.registry
def test_a_tag_that_moves_is_an_update(registry, tmp_path):
    for version in ("1.0.0", "1.1.0"):
        publish(packed_bundle(tmp_path, version=version), f"oci://{registry}/moves:{version}")
    before = install(parse_source(f"oci://{registry}/moves:1.0.0")).installed
    assert update(before).after is None
    newer = install(parse_source(f"oci://{registry}/moves:1.1.0")).installed
    assert find_installed("ball").folder == newer.folder


@pytest.mark.registry
def test_what_is_not_there_is_one_line(registry):
    with pytest.raises(DataError, match=r"nothing:1: is not there; check repository and tag$"):
        find(parse_source(f"oci://{registry}/nothing:1"))


@pytest.mark.registry
def test_another_artefact_is_no_bundle(registry, tmp_path):
    from oras.client import OrasClient

    (tmp_path / "a.txt").write_text("a")
    OrasClient(hostname=registry, insecure=True).push(
        target=f"{registry}/text:1",
        files=[str(tmp_path / "a.txt")],
        disable_path_validation=True,
        quiet=True,
    )
    with pytest.raises(DataError, match="is no bundle that medseg published"):
        find(parse_source(f"oci://{registry}/text:1"))


@pytest.mark.registry
def test_another_digest_than_the_one_asked_for_is_refused(registry, tmp_path):
    target = f"oci://{registry}/digest:1"
    publish(packed_bundle(tmp_path), target)
    with pytest.raises(DataError, match=r"not 0{64}; it is another file"):
        find(parse_source(target, sha256="0" * 64))


@pytest.mark.registry
def test_a_bundle_that_is_not_safe_is_not_pushed(registry, tmp_path):
    files = files_of() | {"configs/inference.json": json.dumps({"a": "$exit()"}).encode()}
    packed = make_zip(tmp_path / "ball-1.0.0.zip", "ball", listed("ball", "1.0.0", files))
    with pytest.raises(DataError, match="only what is safe is published"):
        publish(packed, f"oci://{registry}/unsafe:1")
    with pytest.raises(DataError, match="is not there"):
        find(parse_source(f"oci://{registry}/unsafe:1"))


@pytest.mark.registry
def test_a_registry_that_does_not_answer_is_one_line():
    pytest.importorskip("oras", reason="no oras (pip install 'medseg[oci]')")
    with pytest.raises(MachineError, match=r"/v2/: the connection failed \([^\n]+\)$"):
        find(parse_source(f"oci://127.0.0.1:{free_port()}/a:1"))


@pytest.mark.parametrize(
    "text",
    [
        "oci://",
        "oci://host",
        "oci://host/name",
        "oci://host/Name:1",
        "oci://host/../name:1",
        "oci://user:word@host/name:1",
        "oci://host/name:1@sha256:00",
        "oci://host/na me:1",
    ],
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(UsageError, match="is no reference of the form oci://"):
        Reference.parse(text)


@pytest.mark.parametrize("text", ["oci://host/a:1", "oci://host:5000/a/b-c:v1.0"])
def test_a_reference_is_written_as_it_is_read(text):
    assert str(Reference.parse(text)) == text
