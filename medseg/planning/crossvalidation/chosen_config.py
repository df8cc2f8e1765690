"""Chosen postprocessing as keys of a bundle's configs: lines at their end, which win over the part.

The key itself stands in the part that all bundles share; these lines change it.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from medseg._files import write_atomically
from medseg.inference.kept_parts import PartRule

__all__ = ["CONFIGS", "chosen_lines", "write_choice"]

CONFIGS = ("inference", "evaluate")
_KEY = re.compile(r"^kept_parts:", re.MULTILINE)
_CHOSEN = re.compile(r"^kept_parts#.*\n?", re.MULTILINE)
_WHY = "# by medseg crossvalidate: it helped out of fold"


def chosen_lines(rules: Mapping[str, PartRule]) -> list[str]:
    """Lines of YAML for rules by class; none for no rule."""
    largest = [name for name, rule in rules.items() if rule.keep == "largest"]
    smallest = {name: rule.smallest for name, rule in rules.items() if rule.smallest > 0}
    parts = {"keep_largest": largest, "smallest": smallest}
    return [
        f"kept_parts#{name}: {json.dumps(value, ensure_ascii=False)}  {_WHY}"
        for name, value in parts.items()
        if value
    ]


def write_choice(bundle: Path, rules: Mapping[str, PartRule]) -> list[str]:
    """Write rules into the configs that predict and evaluate; earlier ones are replaced.

    Args:
        bundle: Folder of the bundle.
        rules: By class; empty removes earlier ones.

    Returns:
        Configs that have no key `kept_parts`, and are left as they are.
    """
    without: list[str] = []
    for name in CONFIGS:
        path = bundle / "configs" / f"{name}.yaml"
        before = path.read_text(encoding="utf-8")
        if not _KEY.search(before):
            without.append(f"{name}.yaml")
            continue
        body = _CHOSEN.sub("", before).rstrip("\n")
        after = "\n".join([body, *chosen_lines(rules), ""])
        if after != before:
            write_atomically(path, lambda part, text=after: part.write_text(text, encoding="utf-8"))
    return without
