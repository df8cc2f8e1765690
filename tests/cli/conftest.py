"""The command line as its users have it, in this process, where a second costs less."""

import sys

import pytest

from medseg.cli.main import main


@pytest.fixture
def command(monkeypatch):
    """Calls `medseg` with the given words; its exit code."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["medseg", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    return call
