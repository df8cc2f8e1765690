"""The command line, as for the tests of the command line itself."""

from tests.cli.conftest import command

__all__ = ["command"]
