"""Audit hook under which bundles are judged: what Python does is watched, and most of it refused.

Run as `python -m tests.bundles.attacks.watch LIST RESULT`, since a hook stays for the rest of a
process; memory is bounded as well. LIST is JSON: paths to be judged, after those of harmless
bundles that are judged first, so that all modules of the judge are there. RESULT gets, for each
path, verdict, places and what the judge did that it must not do.
"""

import ast
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Watch", "judge"]

# What changes the machine, starts something or reaches out, by the beginning of the event's name.
NEVER = (
    "exec",
    "import",
    "marshal.",
    "pickle.",
    "code.",
    "function.",
    "subprocess.",
    "socket.",
    "ssl.",
    "http.",
    "urllib.",
    "ftplib.",
    "smtplib.",
    "poplib.",
    "imaplib.",
    "nntplib.",
    "telnetlib.",
    "webbrowser.",
    "ctypes.",
    "sqlite3.",
    "shutil.",
    "tempfile.",
    "pty.",
    "signal.",
    "syslog.",
    "mmap.",
    "fcntl.",
    "resource.",
    "builtins.input",
    "builtins.breakpoint",
    "cpython.run_",
    "cpython.PyInterpreterState",
    "sys.addaudithook",
    "sys.set",
    "glob.",
    "gc.",
    "setopencodehook",
    "os.",
)
READING = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr")
# A judge that reads a file of 20 GiB into memory ends here.
MOST_MEMORY = 2 * 2**30
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """An audit hook that refuses, and remembers that it did.

    Attributes:
        seen: What was refused since it was last emptied.
        within: The bundle that may be read; None while nothing is watched.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.within: str | None = None
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.within is None:
            return
        problem = self._problem(event, arguments)
        if problem:
            self.seen.append(problem)
            # Not an Exception: no handler of the judge's takes it for a fault of the bundle.
            raise KeyboardInterrupt(problem)

    def _problem(self, event: str, arguments: tuple[Any, ...]) -> str:
        if event == "compile":
            # hook, _problem, _hook: the caller is third. ast.parse makes a tree and no code.
            caller = sys._getframe(2)
            return "" if caller.f_code is ast.parse.__code__ else f"compile {arguments!r:.200}"
        if event == "open":
            return self._opening(*arguments)
        if event in READING:
            return "" if self._inside(arguments[0]) else f"{event} {arguments!r:.200}"
        return f"{event} {arguments!r:.200}" if event.startswith(NEVER) else ""

    def _opening(self, path: object, mode: object, flags: object) -> str:
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or (isinstance(flags, int) and flags & WRITING):
            return f"open for writing {path!r:.200}"
        # Python looks for a file of the name that ast.parse gives to a text with an error.
        return "" if path == "<unknown>" or self._inside(path) else f"open {path!r:.200}"

    def _inside(self, path: object) -> bool:
        """Whether it is the bundle or below it; an open handle is of what was opened already."""
        if isinstance(path, int):
            return True
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - touches no disk
        return text == self.within or text.startswith(f"{self.within}/")


def judge(path: str) -> dict[str, Any]:
    """Verdict and places of a bundle's folder or zip; an error that a user is told refuses it."""
    from medseg.bundles.judgement.judge import judge_tree
    from medseg.bundles.judgement.tree import FolderTree
    from medseg.bundles.judgement.zips.zip_tree import ZipTree
    from medseg.errors import MedsegError

    opened: Callable[[str], Any] = ZipTree if path.endswith(".zip") else FolderTree
    try:
        judgement = judge_tree(opened(path))
    except MedsegError as error:
        return {"verdict": "refused", "places": [], "digest": "", "error": str(error)}
    places = [[p.file, p.line, p.key, p.grade, p.reason, str(p)] for p in judgement.places]
    return {"verdict": judgement.verdict, "places": places, "digest": judgement.digest, "error": ""}


def _watched(watch: Watch, path: str) -> dict[str, Any]:
    watch.seen.clear()
    watch.within = os.path.abspath(path)  # noqa: PTH100 - no link is followed
    began = time.process_time()
    try:
        result = judge(path)
    except (Exception, KeyboardInterrupt) as error:
        result = {"verdict": "none", "places": [], "digest": "", "error": repr(error)}
    finally:
        watch.within = None
    return {**result, "seen": list(watch.seen), "seconds": time.process_time() - began}


def main(list_file: str, result_file: str) -> None:
    """Judge all bundles of a list."""
    asked = json.loads(Path(list_file).read_text())
    for path in asked["harmless"]:
        judge(path)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    watch = Watch()
    results = {path: _watched(watch, path) for path in asked["paths"]}
    Path(result_file).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
