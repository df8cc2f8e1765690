"""A real web server on loopback, with the ways in which one can disappoint."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """Files by path, and how they are served.

    Attributes:
        files: Contents by path, with `/`.
        etag: Of all of them; None sends none.
        cuts: Bytes after which each of the next answers ends.
        redirects: Where paths lead to.
        codes: Status codes of paths that are refused.
        lengths: Sizes that are announced falsely; None announces none.
        asked: Paths and ranges of the requests so far.
    """

    files: dict = field(default_factory=dict)
    etag: str | None = '"1"'
    cuts: list = field(default_factory=list)
    redirects: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    lengths: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    url: str = ""


@contextmanager
def served(server: Server, context=None) -> Generator[Server]:
    """Serve until the block ends; by https if there is an SSL context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self, server)

        def log_message(self, *words):
            """Not on the test's terminal."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    if context is not None:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme, host = ("http", "127.0.0.1") if context is None else ("https", "localhost")
    server.url = f"{scheme}://{host}:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def answer(handler, server):
    path = handler.path
    server.asked.append((path, handler.headers.get("Range")))
    if path in server.codes:
        handler.send_error(server.codes[path])
        return
    if path in server.redirects:
        handler.send_response(302)
        handler.send_header("Location", server.redirects[path])
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if path not in server.files:
        handler.send_error(404)
        return
    content = server.files[path]
    first = first_byte(handler, server)
    handler.send_response(206 if first else 200)
    if first:
        handler.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
    if server.etag is not None:
        handler.send_header("ETag", server.etag)
    length = server.lengths.get(path, len(content) - first)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    upto = first + server.cuts.pop(0) if server.cuts else len(content)
    handler.wfile.write(content[first:upto])
    handler.close_connection = True


def first_byte(handler, server) -> int:
    asked = handler.headers.get("Range", "")
    if not asked or handler.headers.get("If-Range") != server.etag:
        return 0
    return int(asked.removeprefix("bytes=").rstrip("-"))
