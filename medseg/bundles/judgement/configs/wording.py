"""Wording of the reasons of places, for the person who decides whether to trust a bundle."""

import builtins
import sys
from dataclasses import replace

from medseg.bundles.judgement.configs.abstract import Named
from medseg.bundles.judgement.configs.syntax import Fault
from medseg.bundles.judgement.configs.texts import shown
from medseg.bundles.judgement.rules import Danger, Rules
from medseg.bundles.judgement.verdict import Slip

__all__ = ["named_fault", "used_fault"]

# Their names are public, so one that is not on the list is a stranger's choice, not a stranger.
_PACKAGES = frozenset({"ignite", "medseg", "monai", "numpy", "torch"})


def named_fault(rules: Rules, name: str, does: str) -> Fault:
    """A fault for a name that is not on the list, with what it could do if that is known.

    Args:
        rules: The rules.
        name: Dotted.
        does: `calls`, `uses`, `builds` or `imports`.
    """
    danger = _danger(rules, name)
    if danger is not None:
        return Fault(danger.grade, f"{does} {shown(name)}, which {danger.could}")
    unknown = f"unknown: {does} {shown(name)}, which medseg's rules do not list"
    first = name.partition(".")[0]
    if "." in name and first not in _PACKAGES and first not in sys.stdlib_module_names:
        unknown += "; it is code of the bundle's own or of another package"
    return Fault("needs trust", unknown, Slip("name", name))


def used_fault(rules: Rules, named: Named, does: str) -> Fault:
    """As `named_fault`, for a name in an expression."""
    fault = named_fault(rules, named.name, does)
    first = named.name.partition(".")[0]
    if fault.slip is None or named.imported:
        return fault
    slip = None if hasattr(builtins, first) else Slip("variable", first)
    return replace(fault, slip=slip)


def _danger(rules: Rules, name: str) -> Danger | None:
    """The rule of a name, or of the module that it is of."""
    parts = name.split(".")
    prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((rules.dangers[prefix] for prefix in prefixes if prefix in rules.dangers), None)
