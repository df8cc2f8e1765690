"""Import statements of a config (`$import os`), and the names that they bind everywhere."""

from collections.abc import Iterator

from medseg.bundles.judgement.configs.references import expression_text, resolved
from medseg.bundles.judgement.configs.syntax import Fault, Import, read_expression
from medseg.bundles.judgement.configs.wording import named_fault
from medseg.bundles.judgement.configs.world import World
from medseg.bundles.judgement.rules import Rules

__all__ = ["Imports"]

# What MONAI's expressions know without an import.
_KNOWN = {"monai": "monai", "torch": "torch", "np": "numpy", "numpy": "numpy"}


class Imports:
    """The names that expressions may use: MONAI's own, and those of all configs' imports."""

    def __init__(self, world: World, rules: Rules) -> None:
        """Finds the import statements, wherever they stand: MONAI runs them all."""
        self._rules = rules
        self.names = dict(_KNOWN)
        self._clashes: set[str] = set()
        for found in _imports(world):
            if "." in found.name or found.name in rules.functions:
                continue
            if self.names.setdefault(found.name, found.means) != found.means:
                self._clashes.add(found.name)

    def faults(self, found: Import) -> Iterator[Fault]:
        """Why an import is not on the list."""
        name, means, rules = found.name, found.means, self._rules
        if name in self._clashes or name in rules.functions or name.startswith("_"):
            yield Fault("refused", f"gives the name {name} another meaning")
        module = means.rpartition(".")[0]
        listed = means in rules.imports or module in rules.imports
        if not listed:
            yield named_fault(rules, means, "imports")


def _imports(world: World) -> Iterator[Import]:
    for root in world.roots:
        for node in world.below(root):
            value = node.value
            if isinstance(value, str) and value.startswith("$") and "import" in value:
                text = resolved(value, node.path)
                read = None if text is None else read_expression(expression_text(text))[0]
                if isinstance(read, Import):
                    yield read
