"""Tests of the GPU check: those that are marked `cuda`, counted as they end."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks._gpu_measure import here
from benchmarks._gpu_rows import TESTS, Emit, Record

__all__ = ["Count", "run_tests"]

REPOSITORY = Path(__file__).resolve().parents[1]


class Count:
    """A plugin of pytest: after each test, how many passed, failed and were skipped."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.passed = self.skipped = 0
        self.reasons: dict[str, None] = {}
        self.failed: list[str] = []
        self.unread: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A test's set-up, call or tear-down has ended."""
        if report.failed:
            self.failed.append(report.nodeid.split("::", 1)[-1])
        elif report.skipped:
            self.skipped += 1
            self.reasons[str(report.longrepr[-1]).removeprefix("Skipped: ")] = None
        elif report.when == "call":
            self.passed += 1
        if report.when == "teardown":
            self.tell()

    def pytest_collectreport(self, report: Any) -> None:
        """A file has been read, or could not be."""
        if report.failed:
            lines = str(report.longrepr).strip().splitlines()
            self.unread.append(f"{report.nodeid} ({lines[-1].removeprefix('E').strip()})")
            self.tell()

    def tell(self) -> None:
        """Emit what is known so far."""
        counts = f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"
        reasons = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        unread = [f"CANNOT RUN HERE: {what}" for what in self.unread]
        failed = [f"FAILED: {', '.join(self.failed)}"] if self.failed else []
        text = "; ".join([counts + reasons, *unread, *failed]).replace("|", "/")
        self.emit(Record(row=TESTS, note=text))


def run_tests(emit: Emit) -> int:
    """Run them in this process; pytest's exit code."""
    files = sorted(
        path
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        if "mark.cuda" in path.read_text(encoding="utf-8")
    )
    count = Count(emit)
    # Warnings of other versions than constraints.txt names are no failures; a file that cannot be
    # read does not keep the others from running.
    words = ["-m", "cuda", "-W", "default", "-p", "no:cacheprovider", "--durations", "5"]
    words += ["--continue-on-collection-errors", "--rootdir", str(REPOSITORY)]
    print(f"{len(files)} files have tests for a GPU; this machine has: {here()}", flush=True)
    code = int(pytest.main([*words, *map(str, files)], plugins=[count]))
    count.tell()
    return code
