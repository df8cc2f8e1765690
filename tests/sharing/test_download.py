"""A download is whole and has its digest, or it is not there."""

import contextlib
import hashlib
import os
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.data.digest import file_sha256
from medseg.errors import DataError, MachineError, UsageError
from medseg.sharing.sources import download as module
from medseg.sharing.sources.address import require_address
from medseg.sharing.sources.download import download
from tests.sharing.web_server import Server, served

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with served(Server(files={"/a.zip": CONTENT})) as one:
        yield one


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_with_its_digest_and_nothing_beside_it(server, tmp_path):
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256, size=len(CONTENT))
    assert (tmp_path / "b.zip").read_bytes() == CONTENT
    assert left(tmp_path) == ["b.zip"]


def test_a_connection_that_ends_is_continued_with_the_missing_bytes(server, tmp_path):
    server.cuts = [300_000, 200_000]
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=300000-", "bytes=500000-"]


def test_what_an_earlier_command_had_is_not_read_again(server, tmp_path):
    server.cuts = [300_000, 0, 0, 0]
    with pytest.raises(MachineError, match=r"300,000 bytes are kept; give the same command again"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert not (tmp_path / "b.zip").exists()
    server.asked.clear()
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert server.asked == [("/a.zip", "bytes=300000-")]
    assert left(tmp_path) == ["b.zip"]


def test_of_another_content_nothing_is_continued(server, tmp_path):
    server.cuts = [300_000, 0, 0, 0]
    with pytest.raises(MachineError):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    server.files["/a.zip"] = new = b"new" * 200_000
    server.etag = '"2"'
    sha256 = hashlib.sha256(new).hexdigest()
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=sha256)
    assert (tmp_path / "b.zip").read_bytes() == new


def test_a_damaged_beginning_is_read_again(server, tmp_path):
    server.cuts = [300_000, 0, 0, 0]
    with pytest.raises(MachineError):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    (tmp_path / "b.part").write_bytes(bytes(300_000))
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


def test_a_server_that_cannot_continue_is_asked_for_all(server, tmp_path):
    server.etag = None
    server.cuts = [300_000]
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert [asked for _, asked in server.asked] == [None, None]


def test_another_digest_leaves_nothing(server, tmp_path):
    with pytest.raises(DataError, match=f"has SHA-256 {SHA256}, not {'0' * 64}; it is another"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256="0" * 64)
    assert left(tmp_path) == []


@pytest.mark.parametrize("announced", [len(CONTENT), None])
def test_a_file_larger_than_allowed_is_not_read_to_its_end(
    server, tmp_path, monkeypatch, announced
):
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    server.lengths["/a.zip"] = announced
    with pytest.raises(DataError, match=r"100,000"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert left(tmp_path) == []


def test_another_size_than_the_index_says_is_refused_before_it_is_read(server, tmp_path):
    with pytest.raises(DataError, match=r"has 1,024,000 bytes, not 5"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256, size=5)
    assert left(tmp_path) == []


def test_of_an_unknown_length_no_more_is_read_than_the_index_says(server, tmp_path):
    server.lengths["/a.zip"] = None
    with pytest.raises(DataError, match="larger than 5 bytes"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256, size=5)
    assert left(tmp_path) == []


def test_a_server_that_gives_a_byte_at_a_time_is_given_up(server, tmp_path):
    server.cuts = [1] * 100
    with pytest.raises(MachineError, match="50 bytes are kept"):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert len(server.asked) == 50


def test_a_redirect_on_the_same_host_is_followed(server, tmp_path):
    server.redirects["/b.zip"] = "/a.zip"
    download(f"{server.url}/b.zip", tmp_path / "b.zip", sha256=SHA256)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://127.0.0.2:1/a.zip",
        "https://example.org/a.zip",
        "file:///etc/passwd",
        "//x.org/a.zip",
    ],
)
def test_a_redirect_to_another_host_or_scheme_is_refused(server, tmp_path, elsewhere):
    server.redirects["/b.zip"] = elsewhere
    with pytest.raises((DataError, UsageError), match=r"^[^\n]+$"):
        download(f"{server.url}/b.zip", tmp_path / "b.zip", sha256=SHA256)
    assert left(tmp_path) == []


def test_a_redirect_without_an_end_is_refused(server, tmp_path):
    server.redirects["/b.zip"] = "/b.zip"
    with pytest.raises(DataError, match="refuses"):
        download(f"{server.url}/b.zip", tmp_path / "b.zip", sha256=SHA256)


@pytest.mark.parametrize(("code", "words"), [(404, "not there"), (403, "login"), (503, "later")])
def test_a_refusal_of_the_server_is_told_in_words(server, tmp_path, code, words):
    server.codes["/a.zip"] = code
    with pytest.raises(DataError, match=words):
        download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\x01 hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ///x\r\n\r\n",
    ],
    ids=range(11),
)
def test_an_answer_that_is_none_is_one_line(tmp_path, reply):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_always, args=(server, reply), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.zip"
        with pytest.raises((DataError, MachineError), match=r"^http://[ -~]+$"):
            download(url, tmp_path / "b.zip", sha256=SHA256)
    assert not (tmp_path / "b.zip").exists()


def answer_always(server, reply):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(reply)


def test_nobody_at_the_address_is_one_line(tmp_path):
    with served(Server()) as gone:
        url = gone.url
    with pytest.raises(MachineError, match="the connection failed"):
        download(f"{url}/a.zip", tmp_path / "b.zip", sha256=SHA256)


def test_proxies_of_the_environment_are_not_asked_for_this_machine(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    assert file_sha256(tmp_path / "b.zip") == SHA256


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process are Unix's")
def test_a_full_disk_leaves_nothing_half(server, tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            download(f"{server.url}/a.zip", tmp_path / "b.zip", sha256=SHA256)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left(tmp_path) == []


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(1, len(CONTENT)), max_size=6))
def test_wherever_connections_end_the_content_is_the_same(cuts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cuts")
    with served(Server(files={"/a.zip": CONTENT}, cuts=list(cuts))) as one:
        download(f"{one.url}/a.zip", folder / "b.zip", sha256=SHA256)
    assert (folder / "b.zip").read_bytes() == CONTENT
    assert left(folder) == ["b.zip"]


def test_a_certificate_is_needed_that_the_system_or_the_user_trusts(tmp_path, monkeypatch):
    context, root = own_authority(tmp_path)
    with served(Server(files={"/a.zip": CONTENT}), context) as one:
        url = f"{one.url}/a.zip"
        with pytest.raises(MachineError, match=r"certificate is not trusted .*SSL_CERT_FILE"):
            download(url, tmp_path / "b.zip", sha256=SHA256)
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        download(url, tmp_path / "b.zip", sha256=SHA256)
        # The certificate is localhost's, and holds for no other name.
        elsewhere = url.replace("localhost", "127.0.0.1")
        with pytest.raises(MachineError, match="certificate is not trusted"):
            download(elsewhere, tmp_path / "c.zip", sha256=SHA256)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


def own_authority(folder):
    """An SSL context for `localhost`, and the file of the root that vouches for it."""
    now = datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in ("A hospital's root", "localhost")
    ]
    basic = [x509.BasicConstraints(ca=ca, path_length=None) for ca in (True, False)]
    made = [
        x509.CertificateBuilder()
        .subject_name(names[n])
        .issuer_name(names[0])
        .public_key(keys[n].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(basic[n], critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(keys[0], hashes.SHA256())
        for n in range(2)
    ]
    pem = serialization.Encoding.PEM
    own = keys[1].private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(own + made[1].public_bytes(pem))
    (folder / "root.pem").write_bytes(made[0].public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, folder / "root.pem"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/a.zip", "not encrypted"),
        ("https://user:secret@example.org/a.zip", "user or password"),
        ("https:///a.zip", "no address"),
        ("ftp://example.org/a.zip", "no address"),
        ("https://example.org:port/a.zip", "no address"),
        ("https://example.org/a b.zip", "%20"),
        ("http://127.0.0.1.example.org/a.zip", "not encrypted"),
        ("http://localhost@example.org/a.zip", "user or password"),
    ],
)
def test_addresses_that_are_not_opened(url, words):
    with pytest.raises(UsageError, match=words):
        require_address(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/a.zip", "http://[::1]:8000/a.zip", "http://localhost/a.zip"]
)
def test_addresses_that_are_opened(url):
    assert require_address(url) == url
