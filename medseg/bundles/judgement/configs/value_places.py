"""Places in values that override a config's."""

from collections.abc import Iterator, Mapping
from typing import Any

from medseg.bundles.judgement.configs.config_files import ConfigFile, read_config_tree
from medseg.bundles.judgement.configs.config_places import places_in
from medseg.bundles.judgement.rules import load_rules
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.verdict import Place

__all__ = ["value_places"]


def value_places(values: Mapping[str, Any], where: str, tree: BundleTree | None) -> Iterator[Place]:
    """Judge overrides; see `judge.judge_values`."""
    rules = load_rules()
    given = ConfigFile(where, dict(values), lambda _: None, by_user=True)
    configs = [] if tree is None else read_config_tree(tree)[0]
    before = set(places_in(configs, rules))
    for place in places_in([*configs, given], rules):
        if place not in before:
            yield place
