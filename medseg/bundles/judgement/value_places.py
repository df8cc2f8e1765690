"""Places in values that override a config's."""

from collections.abc import Iterator, Mapping
from typing import Any

from medseg.bundles.judgement.config_files import ConfigFile
from medseg.bundles.judgement.config_places import places_in
from medseg.bundles.judgement.verdict import Place

__all__ = ["value_places"]


def value_places(values: Mapping[str, Any], where: str) -> Iterator[Place]:
    """Judge overrides; see `judge.judge_values`."""
    config = ConfigFile(where, dict(values), lambda _: None)
    yield from places_in(config)
