"""Traces of people and machines in text: paths, UIDs, dates and names that should not be shared.

Patterns, not knowledge: they find what software writes (DICOM names with a caret, dates of eight
digits, UIDs, home folders), and nothing that a person has put into their own words.
"""

import re
from collections.abc import Iterator
from typing import Literal

__all__ = ["Kind", "looks_like_a_patient", "traces"]

Kind = Literal["config", "prose"]

_URL = re.compile(r"https?://[^\s\"'<>)\]]+|\bdoi:\S+|\b10\.\d{4,}/\S+")
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![\w.]){_YEAR}-{_MONTH}-{_DAY}(?![\w-])|(?<![A-Za-z\d.]){_YEAR}{_MONTH}{_DAY}(?![A-Za-z\d.])"
    rf"|(?<![\w.]){_DAY}[./]{_MONTH}[./]{_YEAR}(?!\w)"
)
# Of DICOM itself: transfer syntaxes and the like, nobody's.
_UID = re.compile(r"(?<![\w.])(?!1\.2\.840\.10008\.)[0-2](?:\.(?:0|[1-9]\d*)){5,}(?![\w.])")
_CARET_NAME = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")
_PATH = re.compile(
    r"(?<![\w.)\]}/])(?:~/|/(?:home|Users|root|mnt|media|scratch|Volumes|private|srv|tmp|var|work)/)"
    r"[^\s\"'`,;)]*|\bfile:/[^\s\"']*|(?<![A-Za-z0-9])[A-Za-z]:[\\/](?![\\/])[^\s\"']*"
    r"|\\\\[\w.-]+\\[^\s\"']*"
)
# In prose a date is mostly a date; beside these words it is one of a person.
_OF_A_PERSON = re.compile(
    r"\b(born|birth\w*|dob|geb\.?|geboren|patient'?s?\s*(name|id|birth)|study\s?date|"
    r"acquisition\s?date|admitted|discharged|deceased|mrn)\b",
    re.IGNORECASE,
)
_SEED = re.compile(r"\bseed\W{0,4}$", re.IGNORECASE)
_WORDS = frozenset({"Case", "Control", "Patient", "Image", "Scan", "Series", "Study", "Subject"})
_FULL_NAME = re.compile(r"([^\W\d_]{2,})[ _,.-]+([^\W\d_]{2,})")


def traces(text: str, kind: Kind) -> Iterator[str]:
    """What a line of text gives away, in words such as `the date '2021-03-04'`.

    Args:
        text: One line or one value. Addresses on the web are passed over.
        kind: A value of a config; or prose, whose dates count if they are said to be a person's.
    """
    rest = _URL.sub(" ", text)
    for found in _PATH.finditer(rest):
        yield f"the path {found[0]!r:.80}"
    for found in _UID.finditer(rest):
        yield f"the DICOM UID {found[0]!r:.80}"
    for found in _CARET_NAME.finditer(rest):
        yield f"a name as DICOM writes it, {found[0]!r:.60}"
    if kind == "config" or _OF_A_PERSON.search(rest):
        for found in _DATE.finditer(rest):
            if not _SEED.search(rest[: found.start()]):
                yield f"the date {found[0]!r}"


def looks_like_a_patient(identifier: str) -> bool:
    """Whether the identifier of a case may be a name, a number of a hospital, a date or a UID."""
    if any(traces(identifier, "config")) or re.fullmatch(r"\d{5,}", identifier):
        return True
    name = _FULL_NAME.fullmatch(identifier)
    words = () if name is None else (name[1], name[2])
    return bool(words) and all(word.istitle() and word not in _WORDS for word in words)
