"""Case names from file names: letters of any script are kept, and no two become one."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from unicodedata import category, normalize

from medseg.data.patterns import name_key

__all__ = ["case_names"]

# Outputs are named after a case, and a file system allows 255 bytes.
_MOST_BYTES = 200
_DIGITS = 6


def case_names(texts: Iterable[str]) -> dict[str, str]:
    """A name for each text that a manifest accepts and that every file system can hold.

    Letters and digits of any script and `. _ -` are kept, anything else becomes `_`. Where two
    names would be equal, or differ in upper and lower case alone, a digest of the text is added.

    Args:
        texts: Names of cases as the files give them; equal texts get one name.
    """
    plain = {text: _plain(text) for text in texts}
    takers = Counter(name_key(name) for name in plain.values())
    return {
        text: name if takers[name_key(name)] == 1 else f"{name}-{_digest(text)}"
        for text, name in plain.items()
    }


def _plain(text: str) -> str:
    kept = "".join(one if _is_kept(one) else "_" for one in normalize("NFC", text))
    # The first is a letter or a digit.
    name = re.sub(r"^[\W_]+", "", kept) or "case"
    if len(name.encode()) <= _MOST_BYTES:
        return name
    return f"{name.encode()[:_MOST_BYTES].decode(errors='ignore')}-{_digest(text)}"


def _is_kept(letter: str) -> bool:
    return letter in "._-" or category(letter)[0] in "LMN"


def _digest(text: str) -> str:
    encoded = normalize("NFC", text).encode(errors="surrogatepass")
    return hashlib.sha256(encoded).hexdigest()[:_DIGITS]
