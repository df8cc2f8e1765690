"""Server of the Hugging Face hub's protocol, as far as huggingface_hub asks it here; in memory.

No package has one, so this answers what the client was seen to ask: a repository is made, files are
committed in base64, tags are set and listed, files are found and read at a commit.
"""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """One repository: its commits, in order, and names of them."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def commit_of(self, revision):
        names = {**self.names, **self.tags}
        return names.get(revision, revision if revision in self.commits else None)

    def commit(self, lines):
        files = dict(self.commits[self.names["main"]]) if self.names else {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        oid = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.commits[oid] = files
        self.names["main"] = oid
        return oid


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format, *args):
        """Quiet."""

    def answer(self, content, status=200, headers=()):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def nothing(self, kind):
        self.answer({"error": "not found"}, 404, {"X-Error-Code": kind})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if match := re.fullmatch(r"/clinic/ball/resolve/([^/]+)/(.+)", path):
            return self.file(match[1], match[2])
        if path == "/api/models/clinic/ball/refs":
            return self.answer(
                {
                    "branches": self.refs("heads", self.hub.names),
                    "tags": self.refs("tags", self.hub.tags),
                    "converts": [],
                }
            )
        if match := re.fullmatch(r"/api/models/clinic/ball/tree/([^/]+)", path):
            return self.tree(match[1])
        if match := re.fullmatch(r"/api/models/clinic/ball(?:/revision/(.+))?", path):
            return self.info(match[1] or "main")
        return self.nothing("RepoNotFound")

    def refs(self, kind, names):
        return [
            {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid}
            for name, oid in names.items()
        ]

    def tree(self, revision):
        files = self.hub.commits.get(self.hub.commit_of(revision), {})
        self.answer(
            [
                {"type": "file", "path": path, "size": len(content), "oid": "0" * 40}
                for path, content in files.items()
            ]
        )

    def info(self, revision):
        oid = self.hub.commit_of(revision)
        if oid is None:
            return self.nothing("RevisionNotFound" if self.hub.commits else "RepoNotFound")
        siblings = [
            {"rfilename": path, "size": len(content)}
            for path, content in self.hub.commits[oid].items()
        ]
        return self.answer({"id": "clinic/ball", "sha": oid, "siblings": siblings})

    def file(self, revision, path):
        oid = self.hub.commit_of(revision)
        content = self.hub.commits.get(oid, {}).get(path)
        if content is None:
            return self.nothing("EntryNotFound")
        etag = hashlib.sha1(content).hexdigest()
        return self.answer(content, 200, {"ETag": f'"{etag}"', "X-Repo-Commit": oid})

    def do_POST(self):
        path = unquote(urlsplit(self.path).path)
        body = self.body()
        self.hub.asked.append(f"POST {path}")
        base = f"http://{self.headers['Host']}"
        if path == "/api/repos/create":
            return self.answer({"url": f"{base}/clinic/ball", "name": "clinic/ball"})
        if path.startswith("/api/models/clinic/ball/preupload/"):
            files = json.loads(body)["files"]
            return self.answer(
                {
                    "files": [
                        {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                        for file in files
                    ]
                }
            )
        if path.startswith("/api/models/clinic/ball/commit/"):
            oid = self.hub.commit([json.loads(line) for line in body.splitlines()])
            return self.answer({"commitUrl": f"{base}/clinic/ball/commit/{oid}", "commitOid": oid})
        if match := re.fullmatch(r"/api/models/clinic/ball/tag/(.+)", path):
            self.hub.tags[json.loads(body)["tag"]] = self.hub.commit_of(match[1])
            return self.answer({})
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        return self.nothing("RepoNotFound")


@contextmanager
def serving():
    """The address of a hub with nothing in it, and the hub."""
    hub = Hub()
    handler = type("OwnHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
