"""Places in the configs of a bundle that keep it from being safe."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from medseg._text import printable
from medseg.bundles.judgement.configs.abstract import (
    NEVER,
    PLAIN,
    UNKNOWN,
    Known,
    Listing,
    Many,
    Named,
    Rooted,
    Table,
    TooLargeError,
    Value,
    either,
)
from medseg.bundles.judgement.configs.components import (
    component_faults,
    component_result,
    patch_faults,
)
from medseg.bundles.judgement.configs.config_files import ConfigFile, read_config_tree
from medseg.bundles.judgement.configs.evaluation import Evaluation
from medseg.bundles.judgement.configs.imports import Imports
from medseg.bundles.judgement.configs.macros import copied_values, macro_faults
from medseg.bundles.judgement.configs.references import (
    expression_text,
    is_relative,
    reference_id,
    resolved,
)
from medseg.bundles.judgement.configs.results import astray, handed_on, unfit
from medseg.bundles.judgement.configs.study_files import without_keys
from medseg.bundles.judgement.configs.syntax import Fault, Import, read_expression
from medseg.bundles.judgement.configs.texts import hidden_letter, leads_out, shown
from medseg.bundles.judgement.configs.world import META, Node, World
from medseg.bundles.judgement.rules import Rules, load_rules
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Place, Slip

__all__ = ["config_places", "places_in"]

_MARKS = ("$", "%", "@")
_NO_LOOP = 10**9
# Where import statements stand: MONAI computes these, and takes nothing from there.
_IMPORTS = ("imports", "import", "initialize", "run", "training", "finalize")
# Our own bundles take 1,000.
_MOST_STEPS = 200_000
# Parts of values and letters of expressions that are looked at; parts of a list again with each
# reference to it.
_MOST_LOOKED_AT = 500_000
_TOO_LARGE = Fault("refused", "a number, text or list too large to be honest")


def config_places(tree: BundleTree) -> list[Place]:
    """Judge all configs of a bundle as plain data; nothing is imported or evaluated.

    Raises:
        UsageError: If this site's rules are wrong.
    """
    configs, places = read_config_tree(tree)
    return [*places, *places_in(map(without_keys, configs), load_rules())]


def places_in(configs: Iterable[ConfigFile], rules: Rules) -> list[Place]:
    """Judge configs that may be merged in any order; those by the user as the user's own words."""
    return _Judging(configs, rules).places()


class _Judging:
    """The values of all nodes, each found once, and the faults met on the way."""

    def __init__(self, configs: Iterable[ConfigFile], rules: Rules) -> None:
        self._rules = rules
        self._world = World(configs)
        roots = {root.path[0] for root in self._world.roots if root.file.is_active}
        # What metadata and manifests are called by, is no key of a config's.
        self._active = (roots | rules.keys.keys()) - {META}
        self._imports = Imports(self._world, rules)
        self._values: dict[Node, Value] = {}
        # Nodes that are being found, each with how many are above it.
        self._doing: dict[Node, int] = {}
        self._loop_from = _NO_LOOP
        self._count = 0
        self._looked_at = 0
        self._faults: dict[Node, dict[Fault, None]] = {}

    def places(self) -> list[Place]:
        """Judges everything."""
        for root in self._world.roots:
            for node in self._world.below(root):
                self._judge(node)
            self._judge_key(root)
        return [_place(node, fault) for node, faults in self._faults.items() for fault in faults]

    def _judge(self, node: Node) -> None:
        """Every text that begins with a mark, and all of a config that is more than data."""
        text = isinstance(node.value, str)
        marked = text and node.value.startswith(_MARKS)
        if node.file.is_active or marked or (text and self._is_active(node)):
            self._value(node)
        self._tell(node, _key_faults(node))

    def _judge_key(self, root: Node) -> None:
        self._tell(root, patch_faults(self._rules, self._world, root))
        if self._is_active(root) and root.path[0] not in _IMPORTS:
            self._tell(root, handed_on(self._value(root)))
        rule = self._rules.keys.get(root.path[0]) if len(root.path) == 1 else None
        if rule is not None and self._is_active(root):
            for source in self._world.sources(root):
                value = self._value(source)
                reason = unfit(value, rule) or astray(value)
                faults = [Fault("needs trust", f"{root.path[0]} {reason}")] if reason else []
                self._tell(source, faults)

    def _is_active(self, node: Node) -> bool:
        """Whether it may become part of what a config builds: data is, that has a name in one."""
        return node.file.is_active or node.path[0] in self._active

    def _tell(self, node: Node, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._faults.setdefault(node, {})[fault] = None

    def _value(self, node: Node) -> Value:
        if self._looked_at >= _MOST_LOOKED_AT:
            return self._too_large(node)
        value = self._value_once(node)
        self._looked_at += getattr(value, "size", 1)
        return value

    def _value_once(self, node: Node) -> Value:
        if node in self._values:
            return self._values[node]
        if node in self._doing:
            # Of several configs not all are merged; where this one refers to itself, MONAI refuses.
            self._loop_from = min(self._loop_from, self._doing[node])
            return NEVER
        self._count += 1
        level = self._doing[node] = len(self._doing)
        try:
            value = self._found(node) if self._count < _MOST_STEPS else self._too_large(node)
        except (TooLargeError, RecursionError):
            value = self._too_large(node)
        del self._doing[node]
        # What was left out for a loop further up is not left out where that is no loop.
        if self._loop_from >= level:
            self._values[node] = value
            self._loop_from = _NO_LOOP
        return value

    def _too_large(self, node: Node) -> Value:
        self._tell(node, [_TOO_LARGE])
        return UNKNOWN

    def _found(self, node: Node) -> Value:
        if isinstance(node.value, Mapping):
            return self._mapping(node)
        if isinstance(node.value, list):
            return self._list(node)
        if isinstance(node.value, str):
            return self._text(node, node.value)
        plain = node.value is None or isinstance(node.value, int | float)
        return Known(node.value, node.file.by_user) if plain else PLAIN

    def _list(self, node: Node) -> Value:
        children = self._world.children(node)
        values = [either(map(self._value, nodes)) for nodes in children.values()]
        # A position that is put there by another key may be one from the end, or a further one;
        # a component that gives nothing is left out, and the others move up.
        parts = [child for nodes in children.values() for child in nodes]
        told_apart = children.keys() <= node.children.keys() and not any(map(_is_built, parts))
        return Listing(tuple(values)) if told_apart or not values else Many(either(values))

    def _mapping(self, node: Node) -> Value:
        children = {
            name: either(map(self._value, nodes))
            for name, nodes in self._world.children(node).items()
        }
        if "_target_" not in children:
            return Table(tuple((Known(name), value) for name, value in children.items()))
        for at, fault in component_faults(self._rules, self._world, node, self._value):
            self._tell(at, [fault])
        return component_result(self._rules, node, children)

    def _text(self, node: Node, raw: str) -> Value:
        text = resolved(raw, node.path)
        if not raw.startswith(_MARKS):
            return self._words(node, raw if text is None else text)
        if text is None:
            self._tell(
                node,
                [Fault("refused", "a relative id that leads above the config, or is too long")],
            )
            return UNKNOWN
        if is_relative(raw) and not all(map(_is_word, node.path)):
            self._tell(node, [Fault("refused", "a relative id below a key that is no plain name")])
            return UNKNOWN
        if text.startswith("$"):
            return self._expression(node, expression_text(text))
        if text.startswith("%"):
            return self._macro(node, text)
        identity = reference_id(text)
        return self._words(node, text) if identity is None else self._referred(node, identity)

    def _words(self, node: Node, text: str) -> Value:
        """A text that is no more than that; what leads out is told here, and not where it goes."""
        where = leads_out(text)
        by_user = node.file.by_user
        if where is None or by_user or not self._is_active(node) or "_desc_" in node.path:
            return Known(text, by_user)
        reason = f"{shown(text)!r} leads {where}: files there could be read, or replaced"
        self._tell(node, [Fault("needs trust", reason)])
        return Rooted("")

    def _referred(self, node: Node, identity: str) -> Value:
        found = self._world.find(tuple(identity.split("::")))
        if not found:
            reason = f"refers to @{shown(identity)}, which no config of this bundle defines"
            slip = Slip("key", identity, among=self._world.ids)
            self._tell(node, [Fault("needs trust", reason, slip)])
            return UNKNOWN
        return either(map(self._value, found))

    def _macro(self, node: Node, text: str) -> Value:
        faults = list(macro_faults(self._world, text))
        self._tell(node, faults)
        return UNKNOWN if faults else either(map(self._value, copied_values(self._world, text)))

    def _expression(self, node: Node, source: str) -> Value:
        self._looked_at += len(source)
        read, faults = read_expression(source)
        self._tell(node, faults)
        if read is None:
            return UNKNOWN
        if isinstance(read, Import):
            self._tell(node, self._imports.faults(read))
            return Named(read.means)
        evaluation = Evaluation(self._rules, self._imports.names, lambda i: self._referred(node, i))
        value = evaluation.value(read)
        if faults:
            # Of what is not followed, the worst is told as well.
            self._tell(node, [fault for fault in evaluation.faults if fault.grade == "refused"])
            return UNKNOWN
        self._tell(node, [_with_source(fault, source) for fault in evaluation.faults])
        lost = astray(value)
        if lost:
            self._tell(node, [Fault("needs trust", f"puts together {lost}")])
            return Rooted("")
        return value


def _with_source(fault: Fault, source: str) -> Fault:
    slip = fault.slip
    if slip is None or slip.kind != "variable":
        return fault
    return replace(fault, slip=replace(slip, of=source))


def _is_built(node: Node) -> bool:
    return "_target_" in node.children


def _is_word(part: str) -> bool:
    return part.isidentifier() or part.isdigit()


def _key_faults(node: Node) -> Iterator[Fault]:
    name = node.key[-1] if node.key else ""
    letter = hidden_letter(name)
    if letter:
        yield Fault("refused", f"a key with {letter}: it is not what it looks like")
    if len(node.key) > 1 and node.file.is_active and ("#" in name or "::" in name):
        yield Fault("needs trust", "a key with # or ::, which MONAI may take for another key")


def _place(node: Node, fault: Fault) -> Place:
    return Place(
        file=node.file.path,
        line=node.file.line(node.key),
        key=printable("#".join(node.key)),
        grade=fault.grade,
        reason=fault.reason,
        slip=fault.slip,
    )
