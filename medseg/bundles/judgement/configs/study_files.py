"""Study file of a bundle as plain values: what its rows set, without the keys that they set it for.

A study file names keys by their path (`network_def#first_width`), as a command line does, which is
ambiguous within a config. MONAI makes no patch of a key that stands below another, and a study is
judged once more, row by row over the training's config, before anything of it runs. So here its
values are judged, each by itself: what they build, compute, refer to and where their paths lead.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from medseg.bundles.judgement.configs.config_files import ConfigFile, Key

__all__ = ["without_keys"]

_FOLDER = "studies/"
# Where overrides stand: directly below these, one level further down, and two.
_LEVELS = {"base": 1, "scoring": 1, "combinations": 2, "factors": 3}
# Texts for people, by the name that the judgement knows for them.
_TEXTS = ("title", "question", "source", "published")
_DESCRIPTION = "_desc_"


def without_keys(file: ConfigFile) -> ConfigFile:
    """A study file with a list of values for each mapping of overrides; any other file as it is.

    Args:
        file: A config of a bundle.
    """
    if not file.path.startswith(_FOLDER) or not isinstance(file.content, dict):
        return file
    content = cast("dict[str, Any]", cast("Any", file).content)
    plain = {
        name: _values(value, _LEVELS[name]) if name in _LEVELS else value
        for name, value in content.items()
        if name not in _TEXTS
    }
    plain[_DESCRIPTION] = {name: content[name] for name in _TEXTS if name in content}

    # Below one key: else a manifest's `source` would count as that of a config.
    def line(key: Key) -> int | None:
        return file.line(_named(content, key[1:]))

    return replace(file, content={"study": plain}, line=line)


def _values(value: Any, levels: int) -> Any:
    """Lists of values in place of the mappings that lie `levels - 1` below."""
    if not isinstance(value, Mapping):
        return value
    mapping = cast("Mapping[str, Any]", value)
    if levels == 1:
        return list(mapping.values())
    return {name: _values(child, levels - 1) for name, child in mapping.items()}


def _named(content: Mapping[str, Any], key: Key) -> Key:
    """A path of keys in the plain file, with the name of an override for its place."""
    if key and key[0] == _DESCRIPTION:
        return key[1:]
    level = _LEVELS.get(key[0]) if key else None
    if level is None or len(key) <= level:
        return key
    mapping: Any = content
    for name in key[:level]:
        mapping = mapping[name]
    place = int(key[level])
    return (*key[:level], list(mapping)[place], *key[level + 1 :])
