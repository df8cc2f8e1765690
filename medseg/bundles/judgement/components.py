"""Components of a config (`_target_`), held to the list of those that may be built, and how."""

from collections.abc import Iterator, Mapping

from medseg.bundles.judgement.abstract import UNKNOWN, Known, Value, options
from medseg.bundles.judgement.results import astray, given, unfit
from medseg.bundles.judgement.rules import Call, Rules
from medseg.bundles.judgement.syntax import Fault
from medseg.bundles.judgement.texts import hidden_letter, shown
from medseg.bundles.judgement.wording import named_fault
from medseg.bundles.judgement.world import Node, World

__all__ = ["component_faults", "component_result", "patch_faults"]

_NO_ARGUMENTS = frozenset({"_target_", "_disabled_", "_requires_", "_desc_", "_mode_"})


def component_faults(
    rules: Rules, world: World, node: Node, children: Mapping[str, Value]
) -> Iterator[tuple[Node, Fault]]:
    """Faults of one component, with where each is.

    Args:
        rules: The rules.
        world: The definitions.
        node: The mapping that has a `_target_`, or gets one by `key#_target_`.
        children: The values of its keys.
    """
    for name, nodes in world.children(node).items():
        for child in nodes:
            for fault in _faults(rules, node, name, child, children[name]):
                yield child, fault


def _faults(rules: Rules, node: Node, name: str, child: Node, value: Value) -> Iterator[Fault]:
    if name == "_target_":
        yield from _target_faults(rules, child)
    elif name == "_mode_":
        yield from _mode_faults(value)
    elif name in _NO_ARGUMENTS:
        return
    elif name.startswith("_"):
        yield Fault("refused", f"{shown(name)}: a key that MONAI keeps for itself, e.g. to debug")
    else:
        target = node.value.get("_target_")
        rule = rules.components.get(target) if isinstance(target, str) else None
        if rule is not None:
            yield from _argument_faults(rule, str(target), name, value)


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


def _argument_faults(rule: Call, target: str, name: str, value: Value) -> Iterator[Fault]:
    allowed = rule.argument(name)
    if allowed is None:
        reason = f"the argument {shown(name)} of {target}, which medseg's rules do not list"
        yield Fault("needs trust", f"unknown: gives {reason}")
        return
    reason = unfit(value, allowed)
    if reason:
        yield Fault("needs trust", f"{name} of {target} {reason}")
    lost = astray(value)
    if lost:
        yield Fault("needs trust", f"gives {target} {lost}")


def component_result(rules: Rules, node: Node, children: Mapping[str, Value]) -> Value:
    """What a component is, once built."""
    target = node.value.get("_target_")
    rule = rules.components.get(target) if isinstance(target, str) else None
    if rule is None:
        return UNKNOWN
    arguments = [children[name] for name in rule.takes if name in children]
    result = given(rule.gives, arguments)
    return UNKNOWN if result is None else result


def patch_faults(rules: Rules, world: World, root: Node) -> Iterator[Fault]:
    """Faults of a key that changes a part of another config, `a#b: value`."""
    if len(root.path) == 1:
        return
    name = root.path[-1]
    if name.startswith("_") and name not in ("_disabled_", "_requires_", "_desc_"):
        yield Fault("needs trust", f"{shown(name)}: changes what another part of the config builds")
        if name == "_target_":
            yield from _target_faults(rules, root)
    if world.is_loose(root.path):
        yield Fault("needs trust", "changes a part that cannot be told from the configs alone")
