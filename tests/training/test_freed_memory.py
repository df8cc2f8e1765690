"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

# 32 tensors of 64 MB, one at a time, and how many pages the system had to provide meanwhile;
# a young process places small objects above the first ones, so some come before.
PROGRAM = """
import resource, sys, torch
from medseg.training import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(16):
    torch.ones(16_000_000)
before = pages()
for _ in range(32):
    torch.ones(16_000_000)
print(pages() - before)
"""


def pages_asked_for(word: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, word], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's malloc")
def test_what_was_freed_is_used_again_without_asking_the_system():
    assert pages_asked_for("leave") > 10 * pages_asked_for("keep")


def test_elsewhere_nothing_is_done(monkeypatch):
    from medseg.training import freed_memory

    opened = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", opened.append)
    freed_memory.keep_freed_memory()
    assert opened == []
