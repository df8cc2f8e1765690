"""Names of licences, found in their texts or in a sentence about them."""

import re

__all__ = ["forbids_commercial_use", "licence_names"]

_CC = re.compile(
    r"(?:CC[ -]|creativecommons\.org/licenses/)(?P<kind>BY(?:-(?:NC|SA|ND))*)"
    r"(?:[ -/](?P<version>[1-4]\.0))?",
    re.IGNORECASE,
)
_NAMES = (
    (r"Apache License\s+Version 2\.0|Apache-2\.0|Apache 2\.0", "Apache-2.0"),
    (r"\bMIT License\b|Permission is hereby granted, free of charge, to any person", "MIT"),
    (r"BSD 3-Clause|BSD-3-Clause|Neither the name of", "BSD-3-Clause"),
    (r"BSD 2-Clause|BSD-2-Clause", "BSD-2-Clause"),
    (r"\bCC0\b|publicdomain/zero/1\.0", "CC0-1.0"),
    (r"GNU AFFERO GENERAL PUBLIC LICENSE|\bAGPL", "AGPL"),
    (r"GNU LESSER GENERAL PUBLIC LICENSE|\bLGPL", "LGPL"),
    (r"GNU GENERAL PUBLIC LICENSE|\bGPL", "GPL"),
    (r"[Nn]on-?[Cc]ommercial.{0,40}License|NVIDIA (Source|Open)", "a licence of its own"),
)
_NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial|not .{0,40}commercial", re.IGNORECASE)


def licence_names(text: str) -> tuple[str, ...]:
    """Names of the licences that a text is or speaks of, in its order; empty if none is known."""
    found = [
        (match.start(), name)
        for pattern, name in _NAMES
        if (match := re.search(pattern, text)) is not None
    ]
    for match in _CC.finditer(text):
        version = f"-{match['version']}" if match["version"] else ""
        found.append((match.start(), f"CC-{match['kind'].upper()}{version}"))
    names = [name for _, name in sorted(found)]
    # "CC BY 4.0" is told again as its address, and without the version.
    full = [n for n in names if not any(other.startswith(f"{n}-") for other in names)]
    return tuple(dict.fromkeys(full))


def forbids_commercial_use(text: str) -> bool:
    """Whether a text speaks of a use that is not commercial."""
    return _NON_COMMERCIAL.search(text) is not None
