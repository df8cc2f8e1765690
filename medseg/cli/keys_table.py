"""Table of a bundle's config keys, for `medseg train BUNDLE --keys`.

On a terminal the table is folded to its width; in a file or a pipe each key is one line.
"""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from medseg.bundles.keys import Key

__all__ = ["print_keys"]


def print_keys(keys: Sequence[Key]) -> None:
    """Print path, value, allowed words and meaning of each key."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=100_000)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("key", overflow="fold", min_width=20)
    table.add_column("value", overflow="fold", max_width=40)
    table.add_column("what it does", overflow="fold", ratio=1)
    for key in keys:
        table.add_row(_cell(key.path), _cell(key.value), _cell(_explained(key)))
    console.print(table)


def _explained(key: Key) -> str:
    words = f"[{' | '.join(key.choices)}]" if key.choices else ""
    component = "" if key.component == "Control" else key.component
    meaning = ": ".join(part for part in (component, key.meaning) if part)
    return " ".join(part for part in (words, meaning) if part)


def _cell(text: str) -> str:
    # Brackets would be taken for rich's markup.
    return text.replace("[", r"\[")
