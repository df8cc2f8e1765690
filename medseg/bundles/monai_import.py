"""Import MONAI without its optional packages: a third of the time, half the memory.

`import monai` imports all of MONAI, and with it every optional package that is installed: ignite
and through it torch's distributed optimisers, matplotlib, TensorBoard, scikit-image, ... MONAI
works without each of them, but has no setting for that. So they are hidden while MONAI is imported,
if the bundle's config names nothing that could need one. Afterwards they can be imported as usual,
but MONAI takes them for missing: hence only for a process that predicts and does nothing else.
"""

import gc
import re
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

from medseg.bundles.config_texts import config_texts
from medseg.bundles.configs import MAY_BE, NEEDED
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import UsageError

__all__ = ["HIDDEN", "collector_paused", "import_monai_for", "names_only_known"]

HIDDEN = (
    "ignite",
    "itk",
    "jsonschema",
    "matplotlib",
    "mlflow",
    "onnx",
    "onnxruntime",
    "pandas",
    *(f"scipy.{part}" for part in ("linalg", "signal", "sparse", "spatial", "special", "stats")),
    "skimage",
    "tensorboard",
    "tensorboardX",
    "torch.utils.tensorboard",
    "torchvision",
    "transformers",
)
# MONAI's components that need none of these; and packages of medseg, which import what they need.
_KNOWN_COMPONENTS = frozenset(
    {
        "AsDiscreted",
        "CastToTyped",
        "Compose",
        "LoadImaged",
        "Orientationd",
        "ScaleIntensityRanged",
        "ScaleIntensityd",
        "Spacingd",
    }
)
_KNOWN_PACKAGES = tuple(
    f"medseg.{name}." for name in ("bundles", "data", "inference", "networks", "transforms")
)
_KNOWN_EXPRESSION = re.compile(
    r"\$monai\.utils\.set_determinism\(seed=\d+\)"
    r"|\$monai\.utils\.optional_import\('medseg'\)\[1\] or exit\('[\w ,./-]*'\)"
)
# Any other expression with one of these words could use anything.
_REACHES_OUT = re.compile(r"\$.*\b(monai|import|" + "|".join(HIDDEN).replace(".", r"\.") + r")\b")
_REFERENCE = re.compile(r"[@%]([\w.]+)")


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the garbage collector, for large imports.

    Imported modules stay until the end of the process, so collecting is in vain: a sixth of the
    time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_monai_for(text: str, pairs: Iterable[str] = ()) -> None:
    """Import MONAI, without its optional packages if a bundle's config needs none.

    Does nothing if MONAI is imported already.

    Args:
        text: The bundle's inference config, YAML.
        pairs: `KEY=VALUE` overrides.
    """
    if "monai" in sys.modules:
        return
    if names_only_known(text, pairs):
        with _hidden(HIDDEN):
            import_module("monai.bundle")


def names_only_known(text: str, pairs: Iterable[str] = ()) -> bool:
    """Whether the parts of a config that predict need none of MONAI's optional packages."""
    if any(word in pair for pair in pairs for word in ("$", "_target_")):
        return False
    try:
        config = parse_config(text, "inference.yaml")
    except UsageError:
        return False  # `open_configs` reports it
    return all(map(_is_known, _reached(config)))


def _reached(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text, with its key, in the parts that predict and in those they refer to."""
    waiting, seen = ["initialize", *NEEDED, *MAY_BE], set[str]()
    while waiting:
        key = waiting.pop()
        if key in seen or key not in config:
            continue
        seen.add(key)
        for name, text in config_texts(config[key], key):
            yield name, text
            waiting += _REFERENCE.findall(text)


def _is_known(entry: tuple[str, str]) -> bool:
    name, text = entry
    if name == "_target_":
        return text in _KNOWN_COMPONENTS or text.startswith(_KNOWN_PACKAGES)
    return bool(_KNOWN_EXPRESSION.fullmatch(text)) or _REACHES_OUT.match(text) is None


@contextmanager
def _hidden(names: Iterable[str]) -> Generator[None]:
    """Make packages that are not imported yet appear not to be installed."""
    modules = cast("dict[str, Any]", sys.modules)
    hidden = [name for name in names if name not in modules]
    # Python refuses to import a module whose entry is None.
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            modules.pop(name, None)
