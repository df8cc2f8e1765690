"""Training config of a packed bundle: with the settings that its weights were trained with.

Weights are trained with overrides, which stand in their header. `monai.bundle.load` builds the
network of `train.json` and loads what fits, without a word about what does not; a network of the
defaults' shape would keep chance weights. So the values in `train.yaml` become those of the
weights, each in its place, and every comment stays.
"""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from medseg.errors import DataError
from medseg.networks.unet import UNet

__all__ = ["with_trained_settings"]

# Without complete annotations.
_yaml = cast("Any", yaml)
# libyaml's, ten times as fast, where PyYAML was built with it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NETWORK = "network_def"
_HEADING = "# --- Also of the weights in models/, by medseg bundle pack"


def with_trained_settings(
    text: str, settings: Mapping[str, Any], network: Mapping[str, Any]
) -> str:
    """A training config with the values of the weights.

    Args:
        text: `train.yaml`.
        settings: The header's settings, by top-level key. A key that the config computes, or does
            not have, stays as it is.
        network: Arguments of the weights' network, without `_target_`.

    Returns:
        The text, unchanged where it says the same.

    Raises:
        DataError: If the config is no mapping with a mapping `network_def`.
    """
    top = _children(_yaml.compose(text, _Loader))
    definition = top.get(_NETWORK)
    if not isinstance(definition, yaml.MappingNode):
        raise DataError(f"configs/train.yaml: has no {_NETWORK} with arguments; add it")
    own = _children(definition)
    further = {f"{_NETWORK}#{name}": value for name, value in network.items() if name not in own}
    changes = [*_changes(top, {**settings, **further}), *_changes(own, network)]
    for node, value in sorted(changes, key=lambda change: -change[0].start_mark.index):
        # A block of lines ends where the next key begins.
        ending = "\n" if getattr(node, "flow_style", None) is False else ""
        new = _flow(value) + ending
        text = text[: node.start_mark.index] + new + text[node.end_mark.index :]
    lines = [
        f"{key}: {_flow(value)}"
        for key, value in further.items()
        if key not in top and not _is_default(key.partition("#")[2], value)
    ]
    return "\n".join([text.rstrip("\n"), _HEADING, *lines, ""]) if lines else text


def _is_default(argument: str, value: Any) -> bool:
    """Whether the network has this value where nobody says it."""
    parameter = inspect.signature(UNet).parameters.get(argument)
    return parameter is not None and parameter.default == value


def _changes(
    nodes: Mapping[str, yaml.Node], values: Mapping[str, Any]
) -> Iterator[tuple[yaml.Node, Any]]:
    for name, value in values.items():
        node = nodes.get(name)
        if node is not None and not _is_computed(node) and _value(node) != value:
            yield node, value


def _is_computed(node: yaml.Node) -> bool:
    if isinstance(node, yaml.MappingNode):
        return True
    value = _value(node)
    return isinstance(value, str) and value.startswith(("$", "@", "%"))


def _value(node: yaml.Node) -> Any:
    return _yaml.load(_yaml.serialize(node), _Loader)


def _children(node: yaml.Node | None) -> dict[str, yaml.Node]:
    pairs: Any = cast("Any", node).value if isinstance(node, yaml.MappingNode) else []
    return {str(key.value): value for key, value in pairs}


def _flow(value: Any) -> str:
    # JSON in one line is YAML as well.
    return json.dumps(value, ensure_ascii=False)
