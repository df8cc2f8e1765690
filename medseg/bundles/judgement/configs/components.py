"""Components of a config (`_target_`), held to the list of those that may be built, and how."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from medseg.bundles.judgement.configs.abstract import UNKNOWN, Known, Value, options, parts
from medseg.bundles.judgement.configs.references import changed_parts, is_plain_part
from medseg.bundles.judgement.configs.results import astray, given, unfit
from medseg.bundles.judgement.configs.syntax import Fault
from medseg.bundles.judgement.configs.texts import hidden_letter, shown
from medseg.bundles.judgement.configs.wording import named_fault
from medseg.bundles.judgement.configs.world import Node, World
from medseg.bundles.judgement.rules import Argument, Call, Rules
from medseg.bundles.judgement.verdict import Slip

__all__ = ["component_faults", "component_result", "patch_faults"]

# Beyond these no machine has the memory.
_MOST_WORKERS = 256
_MOST_WIDTH = 65_536
_NO_ARGUMENTS = frozenset({"_target_", "_disabled_", "_requires_", "_desc_", "_mode_"})


def component_faults(
    rules: Rules, world: World, node: Node, value_of: Callable[[Node], Value]
) -> Iterator[tuple[Node, Fault]]:
    """Faults of one component, with where each is.

    Args:
        rules: The rules.
        world: The definitions.
        node: The mapping that has a `_target_`, or gets one by `key#_target_`.
        value_of: Gives the value of a node.
    """
    children = world.children(node)
    targets = children["_target_"]
    for name, child in ((name, child) for name, nodes in children.items() for child in nodes):
        if name in _NO_ARGUMENTS or name.startswith("_"):
            yield from ((child, fault) for fault in _faults(rules, name, child, value_of))
            continue
        # What is wrong with a value is told where the value is written.
        for source in world.sources(child):
            for fault in _argument_faults(rules, targets, name, value_of(source)):
                yield source, fault
    for target in targets:
        yield from ((target, fault) for fault in _missing(rules, target, children))
        if node.children.get("_target_") is not target:
            yield target, Fault("needs trust", "changes what another part of the config builds")


def _missing(rules: Rules, target: Node, children: Iterable[str]) -> Iterator[Fault]:
    rule = _rule(rules, target.value)
    for name in sorted(set(() if rule is None else rule.needs) - set(children)):
        yield Fault("needs trust", f"builds {target.value} without {name}, so as MONAI likes")


def _faults(
    rules: Rules, name: str, child: Node, value_of: Callable[[Node], Value]
) -> Iterator[Fault]:
    if name == "_target_":
        yield from _target_faults(rules, child)
    elif name == "_mode_":
        yield from _mode_faults(value_of(child))
    elif name not in _NO_ARGUMENTS:
        yield Fault("refused", f"{shown(name)}: a key that MONAI keeps for itself, e.g. to debug")


def _rule(rules: Rules, target: object) -> Call | None:
    return rules.components.get(target) if isinstance(target, str) else None


def _target_faults(rules: Rules, child: Node) -> Iterator[Fault]:
    target = child.value
    if not isinstance(target, str) or target.startswith(("$", "@", "%")):
        reason = (
            "builds what is only known when it runs: a _target_ has to be written out as a name"
        )
        yield Fault("needs trust", reason)
        return
    letter = hidden_letter(target) or (None if target.isascii() else "a letter beyond ASCII")
    if letter:
        yield Fault("refused", f"builds a name with {letter}: it is not what it looks like")
    elif "__" in target:
        yield Fault("refused", f"builds {shown(target)}, which is of Python's inner workings")
    elif target not in rules.components:
        yield named_fault(rules, target, "builds")


def _mode_faults(value: Value) -> Iterator[Fault]:
    for option in options(value):
        mode = option.value if isinstance(option, Known) else None
        if mode == "default":
            continue
        if isinstance(mode, str) and mode.strip().lower() == "debug":
            yield Fault(
                "refused", "_mode_ debug stops in Python's debugger, which runs any command"
            )
        else:
            yield Fault("needs trust", "a _mode_ other than default hands on a function, uncalled")


def _argument_faults(rules: Rules, targets: list[Node], name: str, value: Value) -> Iterator[Fault]:
    for target in targets:
        rule = _rule(rules, target.value)
        if rule is None:
            continue
        allowed = rule.argument(name)
        if allowed is None:
            reason = (
                f"the argument {shown(name)} of {target.value}, which medseg's rules do not list"
            )
            slip = Slip("argument", name, of=str(target.value))
            yield Fault("needs trust", f"unknown: gives {reason}", slip)
            continue
        reason = unfit(value, allowed)
        if reason:
            slip = _choice(allowed, value, f"{name} of {target.value}")
            yield Fault("needs trust", f"{name} of {target.value} {reason}", slip)
        most = _MOST_WORKERS if name == "num_workers" else _MOST_WIDTH
        if (name == "num_workers" or rule.gives == "network") and _largest(value) > most:
            yield Fault("needs trust", f"{name} of {target.value} is larger than {most:,}")
        lost = astray(value)
        if lost:
            yield Fault("needs trust", f"gives {target.value} {lost}")


def _choice(allowed: Argument, value: Value, of: str) -> Slip | None:
    """A text in place of a word of the list."""
    if allowed.one_of is None or not isinstance(value, Known) or not isinstance(value.value, str):
        return None
    return Slip(
        "choice", value.value, of, tuple(word for word in allowed.one_of if isinstance(word, str))
    )


def _largest(value: Value) -> float:
    """The largest number that is known in a value."""
    if isinstance(value, Known):
        return abs(value.value) if isinstance(value.value, int | float) else 0
    return max(map(_largest, parts(value)), default=0)


def component_result(rules: Rules, node: Node, children: Mapping[str, Value]) -> Value:
    """What a component is, once built."""
    rule = _rule(rules, node.value.get("_target_"))
    if rule is None:
        return UNKNOWN
    arguments = [children[name] for name in rule.takes if name in children]
    result = given(rule.gives, arguments)
    return UNKNOWN if result is None else result


def patch_faults(rules: Rules, world: World, root: Node) -> Iterator[Fault]:
    """Faults of a key that changes a part of another config, `a#b: value`."""
    if root.key and not all(map(is_plain_part, changed_parts(root.key[0]))):
        yield Fault("needs trust", "changes a part by a name that MONAI may take for another")
    if len(root.path) == (2 if root.file.is_metadata else 1):
        return
    name = root.path[-1]
    if name.startswith("_") and name not in ("_disabled_", "_requires_", "_desc_"):
        yield Fault("needs trust", f"{shown(name)}: changes what another part of the config builds")
        if name == "_target_":
            yield from _target_faults(rules, root)
    if world.is_loose(root.path):
        yield Fault("needs trust", "changes a part that cannot be told from the configs alone")
