"""A share that Python's own web server serves, for medseg and for MONAI's own download."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from medseg.sharing.publishing.publish import publish
from medseg.sharing.signing.verify import verify
from medseg.sharing.sources.source import parse_source
from medseg.sharing.store.install import install
from tests.sharing.plain_bundles import packed_bundle


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        """Not on the test's terminal."""


@pytest.fixture
def share(tmp_path, monkeypatch):
    """The address of a share with one bundle."""
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))
    publish(packed_bundle(tmp_path, monai_version="1.0.0"), str(tmp_path / "share"))
    handler = partial(Quiet, directory=str(tmp_path / "share"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_medseg_installs_from_it(share):
    done = install(parse_source("ball", share=share))
    assert done.installed.record.source.found == f"{share}/ball-1.0.0.zip"


def test_monai_downloads_from_it_what_verify_finds_complete(share, tmp_path):
    from monai.bundle.scripts import download

    url = f"{share}/ball-1.0.0.zip"
    with pytest.warns(UserWarning, match="file integrity is NOT verified"):
        download("ball", bundle_dir=tmp_path / "got", url=url, progress=False)
    found = verify(tmp_path / "got" / "ball")
    assert (found.name, found.version, found.complete) == ("ball", "1.0.0", True)
