"""Macros of a config (`%id`), which MONAI replaces by a copy of what they name."""

from collections.abc import Iterator

from medseg.bundles.judgement.configs.references import is_plain_part, is_relative, macro_target
from medseg.bundles.judgement.configs.syntax import Fault
from medseg.bundles.judgement.configs.texts import shown
from medseg.bundles.judgement.configs.world import Node, World
from medseg.bundles.judgement.verdict import Slip

__all__ = ["copied_values", "macro_faults"]

# A copy of a copy of a copy doubles each time.
_MOST_VALUES = 20_000
_MOST_HOPS = 30


def copied_values(world: World, text: str) -> list[Node]:
    """What a macro with absolute ids copies."""
    return world.find(tuple(macro_target(text)[1].split("::")))


def macro_faults(world: World, text: str) -> Iterator[Fault]:
    """Why a macro is not on the list.

    Args:
        world: The definitions.
        text: With absolute ids.
    """
    file, identity = macro_target(text)
    if file:
        reason = (
            f"copies a part of the file {shown(file)}, which is looked for in the current folder "
            "and is not judged; write the part into the config"
        )
        yield Fault("needs trust", reason)
        return
    parts = identity.split("::")
    if identity and not all(map(is_plain_part, parts)):
        reason = f"copies %{shown(identity)}, which MONAI may take for another id"
        yield Fault("needs trust", reason)
    found = world.find(tuple(parts)) if identity else []
    if not found:
        reason = f"copies %{shown(identity)}, which no config of this bundle defines"
        yield Fault("needs trust", reason, Slip("macro", identity, among=world.ids))
    for node in found:
        if _has_relative(world, node):
            reason = f"copies %{shown(identity)}, whose relative ids change with the place"
            yield Fault("needs trust", reason)
        if _size(world, node, 0) > _MOST_VALUES:
            yield Fault("refused", "copies of copies, too many to be honest")


def _is_relative(node: Node) -> bool:
    value = node.value
    return isinstance(value, str) and value.startswith(("$", "@", "%")) and is_relative(value)


def _has_relative(world: World, node: Node) -> bool:
    if node not in world.relative:
        world.relative[node] = any(map(_is_relative, world.below(node)))
    return world.relative[node]


def _size(world: World, node: Node, depth: int) -> int:
    """Values of a part once its macros are replaced; more than the most if that has no end."""
    if node in world.sizes:
        return world.sizes[node]
    # What copies itself has no end, and is met while it is counted.
    world.sizes[node] = _MOST_VALUES + 1
    if depth > _MOST_HOPS:
        return _MOST_VALUES + 1
    size = 0
    for child in world.below(node):
        size += 1
        if isinstance(child.value, str) and child.value.startswith("%"):
            copies = copied_values(world, child.value.replace("#", "::"))
            size += sum(_size(world, copied, depth + 1) for copied in copies)
        if size > _MOST_VALUES:
            break
    world.sizes[node] = size
    return size
