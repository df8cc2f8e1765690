"""Mistakes of typing in a config, told from what could run, with what may have been meant.

What is nowhere cannot run: whoever wrote it is told so, and is not asked to trust it.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from medseg._text import printable
from medseg.bundles.judgement.configs.references import LOCAL
from medseg.bundles.judgement.configs.texts import shown
from medseg.bundles.judgement.public_names import is_argument, is_component, is_name
from medseg.bundles.judgement.rules import load_rules
from medseg.bundles.judgement.verdict import Place, Slip

__all__ = ["first_mistake", "mistake"]

_NEAR = 0.7
# Nobody mistypes more, and to look for each takes a second.
_MOST_PLACES = 10
_LONGEST = 200


def first_mistake(places: Iterable[Place]) -> Place | None:
    """The first of a config's places, if all are mistakes and none could run.

    Returns:
        With the mistake as its reason, and with the key of the component for that of its
        `_target_`.
    """
    places = list(places)
    if len(places) > _MOST_PLACES:
        return None
    found: list[Place] = []
    for place in places:
        told = mistake(place)
        if told is None:
            return None
        key = place.key.removesuffix("#_target_")
        found.append(replace(place, key=key, reason=printable(told)))
    return found[0] if found else None


def mistake(place: Place) -> str | None:
    """What is mistyped at a place, in words; None if what is named there is or may be there."""
    slip = place.slip
    if slip is None or (len(slip.text) > _LONGEST and slip.kind not in ("file", "syntax")):
        return None
    return _TOLD[slip.kind](slip)


def _name(slip: Slip) -> str | None:
    there = is_name(slip.text) if "." in slip.text else is_component(slip.text)
    if there:
        return None
    near = _near_names(slip.text, list(load_rules().components))
    hint = _did_you_mean(near) or "give the full path, package.module.Name"
    return f"no such class or function: {slip.text!r:.80}; {hint}"


def _variable(slip: Slip) -> str:
    rules = load_rules()
    bare = [name for name in rules.functions if "." not in name]
    hint = _did_you_mean(difflib.get_close_matches(slip.text, bare, n=1, cutoff=_NEAR))
    what = f"the expression ${_expression(slip.of)} fails"
    told = f"{what} (NameError: name {slip.text!r:.80} is not defined)"
    return f"{told}; {hint or f'a key of the config is @{slip.text:.80}'}"


def _argument(slip: Slip) -> str | None:
    if is_argument(slip.of, slip.text):
        return None
    rule = load_rules().components.get(slip.of)
    known = [] if rule is None else [*rule.takes, *rule.but]
    hint = _did_you_mean(difflib.get_close_matches(slip.text, known, n=1))
    name = slip.of.rpartition(".")[2]
    return f"{name} has no argument {shown(slip.text)}; {hint or 'it has ' + ', '.join(known)}"


def _choice(slip: Slip) -> str | None:
    hint = _did_you_mean(_near_names(slip.text, slip.among))
    if any("." in word for word in slip.among):
        there = is_name(slip.text) if "." in slip.text else is_component(slip.text)
        hint = "" if there else hint or f"it may be {', '.join(slip.among)}"
    return f"{slip.of} cannot be {slip.text!r:.80}; {hint}" if hint else None


def _key(slip: Slip) -> str:
    hint = _did_you_mean([f"@{near}" for near in _near_ids(slip)])
    return f"no such key in this config: @{_written(slip.text)}{'; ' if hint else ''}{hint}"


def _macro(slip: Slip) -> str:
    hint = _did_you_mean([f"%{near}" for near in _near_ids(slip)])
    told = f"a %macro refers to a key that is not there ({_written(slip.text)})"
    return f"{told}{'; ' if hint else ''}{hint}"


def _syntax(slip: Slip) -> str:
    return f"the expression ${_expression(slip.text)} is not valid Python; correct it"


_TOLD: dict[str, Callable[[Slip], str | None]] = {
    "name": _name,
    "variable": _variable,
    "argument": _argument,
    "choice": _choice,
    "key": _key,
    "macro": _macro,
    "syntax": _syntax,
    "file": lambda slip: slip.text,
}


def _near_names(name: str, names: Sequence[str]) -> list[str]:
    """The nearest name: of the same module, else by its last part, else as a whole."""
    module, _, last = name.rpartition(".")
    beside = {other.rpartition(".")[2]: other for other in names if _module(other) == module}
    of_all = {other.rpartition(".")[2]: other for other in names}
    near = difflib.get_close_matches(last, beside, n=1) if module else []
    if near:
        return [beside[near[0]]]
    near = difflib.get_close_matches(last, of_all, n=1, cutoff=_NEAR)
    return [of_all[near[0]]] if near else difflib.get_close_matches(name, names, n=1, cutoff=0.8)


def _near_ids(slip: Slip) -> list[str]:
    return [_written(one) for one in difflib.get_close_matches(slip.text, slip.among, 1, _NEAR)]


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _did_you_mean(near: Sequence[str]) -> str:
    return f"did you mean {near[0]}?" if near else ""


def _expression(source: str) -> str:
    """An expression as it is in the config: with references as they are written there."""
    written = re.sub(rf"{LOCAL}\['([^']*)'\]", r"@\1", source.strip())
    return shown(written.replace("::", "#"))


def _written(identity: str) -> str:
    return shown(identity.replace("::", "#"))
