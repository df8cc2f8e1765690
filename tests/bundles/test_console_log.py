"""Logging of a bundle's logging.conf: on the console alone, and one line where it asks for more."""

import logging

import pytest

from medseg.bundles.console_log import log_to_console
from medseg.errors import UsageError
from tests.bundles.test_contract import BUNDLES

CONSOLE = """
[loggers]
keys=root
[handlers]
keys=here
[formatters]
keys=line
[logger_root]
level=INFO
handlers=here
[handler_here]
class=StreamHandler
args=(sys.stdout,)
level=INFO
formatter=line
[formatter_line]
format=%(levelname)s: %(message)s
"""


def told(text):
    with pytest.raises(UsageError) as refused:
        log_to_console(text.encode(), "b/configs/logging.conf")
    line = str(refused.value)
    assert line.startswith("b/configs/logging.conf: ")
    assert "\n" not in line
    return line


def test_the_console_form_logs_to_the_console(capsys):
    log_to_console(CONSOLE.encode(), "logging.conf")
    logging.getLogger("something").info("a line")
    assert capsys.readouterr().out == "INFO: a line\n"


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_that_of_every_bundle_is_of_this_form(bundle, capsys):
    log_to_console((bundle / "configs" / "logging.conf").read_bytes(), "logging.conf")
    logging.getLogger("something").info("a line")
    assert capsys.readouterr().out.endswith("INFO something: a line\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class=StreamHandler", "class=FileHandler"),
        ("class=StreamHandler", "class=handlers.SocketHandler"),
        ("class=StreamHandler", "class=logging.FileHandler"),
        ("class=StreamHandler", "class=os.system"),
        ("class=StreamHandler\n", ""),
        ("(sys.stdout,)", "('{canary}', 'w')"),
        ("(sys.stdout,)", "(open('{canary}', 'w'),)"),
        ("(sys.stdout,)", "(sys.stdout, open('{canary}', 'w'))"),
        ("level=INFO\nformatter", "kwargs={{'x': open('{canary}', 'w')}}\nformatter"),
        ("[formatter_line]", "[formatter_line]\nclass=tests.bundles.nowhere.Formatter"),
        ("[formatter_line]", "[formatter_line]\ndefaults=open('{canary}', 'w')"),
        ("[formatters]", "[DEFAULT]\nclass=FileHandler\nargs=('{canary}',)\n[formatters]"),
        ("[formatters]", "[DEFAULT]\nkwargs={{'x': open('{canary}', 'w')}}\n[formatters]"),
    ],
)
def test_whatever_is_more_is_refused_and_evaluated_by_nobody(old, new, tmp_path):
    canary = tmp_path / "canary"
    text = CONSOLE.replace(old, new.format(canary=canary), 1)
    assert text != CONSOLE
    if "DEFAULT" in new and "class" in new:
        text = text.replace("class=StreamHandler\nargs=(sys.stdout,)\n", "")
    assert "is more than a log on the console" in told(text)
    assert not canary.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[loggers]\nkeys=root",
        "no section",
        "[loggers]\nkeys=root\n[loggers]\nkeys=root",
        CONSOLE.replace("level=INFO", "level=LOUD", 1),
        CONSOLE.replace("handlers=here", "handlers=there"),
        CONSOLE.replace("keys=here", "keys=there"),
        CONSOLE.replace("formatter=line", "formatter=page"),
        "\x00",
    ],
)
def test_a_file_that_is_none_is_one_line(text):
    assert "cannot be used to configure logging" in told(text)


def test_bytes_that_are_no_text_are_one_line():
    with pytest.raises(UsageError, match="cannot be used to configure logging"):
        log_to_console(b"[loggers]\nkeys=\xff", "logging.conf")
