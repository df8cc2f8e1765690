"""A bundle's logging.conf: Python's own loader evaluates parts of it, so few forms are allowed.

`logging.config.fileConfig` hands `class`, `args` and `kwargs` to `eval`, opens files and sockets
for its handlers, and fills `%(name)s` in from other lines first. Only lines that write to the
console are on the list.
"""

import re
from collections.abc import Iterator, Mapping

from medseg._text import printable
from medseg.bundles.judgement.files.finding import Finding

__all__ = ["logging_findings"]

_NAME = r"[A-Za-z0-9_]{1,60}"
_NAMES = rf"({_NAME}(\s*,\s*{_NAME})*)?"
_LEVEL = r"NOTSET|DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL"
_FIELD = (
    r"%\((asctime|created|filename|funcName|levelname|levelno|lineno|message|module|msecs|name"
    r"|pathname|process|processName|relativeCreated|taskName|thread|threadName)\)"
    r"-?[0-9]{0,2}(\.[0-9]{1,2})?[sdf]"
)
_FORMAT = rf"({_FIELD}|%%|[^%]){{0,300}}"
# By section and option, what its value may be.
_ALLOWED = (
    (r"loggers|handlers|formatters", {"keys": _NAMES}),
    (
        rf"logger_{_NAME}",
        {"level": _LEVEL, "handlers": _NAMES, "propagate": "[01]", "qualname": r"[\w.]{1,200}"},
    ),
    (
        rf"handler_{_NAME}",
        {
            "class": r"(logging\.)?(StreamHandler|NullHandler)",
            "level": _LEVEL,
            "formatter": _NAMES,
            "args": r"\(\s*((sys\.stdout|sys\.stderr)\s*,?\s*)?\)",
        },
    ),
    (
        rf"formatter_{_NAME}",
        {
            "format": _FORMAT,
            "datefmt": r"(%[A-Za-z]|[^%{}]){0,80}",
            "style": "%",
            "class": r"logging\.Formatter",
        },
    ),
)
_NOTHING: Mapping[str, str] = {}
# What an honest handler has no use for: calls, attributes of attributes, names put together.
_CALLS = re.compile(r"\w\s*\(|__|[\[\]{}]|lambda|\bfor\b|%\(|\bos\b|open|eval|exec")
_MOST_LINES = 1000


def logging_findings(text: str) -> Iterator[Finding]:
    """What keeps a logging.conf from writing to the console alone.

    Args:
        text: All of the file.
    """
    section = ""
    # Python's loader knows no other ends of lines than these.
    lines = re.split(r"\r\n|\r|\n", text)
    if len(lines) > _MOST_LINES:
        yield Finding("refused", f"has more than {_MOST_LINES:,} lines")
        return
    for number, line in enumerate(lines, start=1):
        told = _line_problem(section, line)
        if told is not None:
            grade = "refused" if _CALLS.search(line) else "needs trust"
            key = printable(f"[{section}]")[:80] if section else ""
            yield Finding(grade, told, line=number, key=key)
        header = re.fullmatch(r"\[([^\]]*)\]\s*", line)
        section = header[1] if header else section


def _line_problem(section: str, line: str) -> str | None:
    if not line.strip() or line.startswith(("#", ";")):
        return None
    header = re.fullmatch(r"\[([^\]]*)\]\s*", line)
    if header:
        known = any(re.fullmatch(pattern, header[1]) for pattern, _ in _ALLOWED)
        return None if known else f"section [{printable(header[1])[:60]}] is none of logging's"
    if line[0].isspace():
        return "continues the line before it, by which a value is hidden"
    option, equals, value = line.partition("=")
    option, value = option.strip(), value.strip()
    allowed = next((keys for pattern, keys in _ALLOWED if re.fullmatch(pattern, section)), _NOTHING)
    if not equals or option not in allowed:
        shown = printable(line)[:80]
        return f"{shown!r} is no option that the rules list"
    if not re.fullmatch(allowed[option], value):
        return f"{option} = {printable(value)[:80]}: {_danger(option)}"
    return None


def _danger(option: str) -> str:
    if option in ("class", "args"):
        return (
            "Python evaluates it, and it may write files or open connections; the rules list "
            "StreamHandler with (sys.stdout,) or (sys.stderr,)"
        )
    return "is no value that the rules list"
