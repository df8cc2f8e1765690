"""OpenVINO without its telemetry.

`import openvino` reports the import, and every conversion, to Google Analytics unless the user has
opted out in a file in their home. A tool that works on patients' images sends nothing, so the
package that reports is kept out of the process; OpenVINO has a stub for its absence.
"""

import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

from medseg.errors import MachineError

__all__ = ["has_openvino", "load_openvino", "openvino_core"]

_REPORTER = "openvino_telemetry"


def has_openvino() -> bool:
    """Whether OpenVINO is installed; nothing is imported."""
    return find_spec("openvino") is not None


def load_openvino() -> Any:
    """The module `openvino`, which reports nothing in this process from here on.

    Raises:
        MachineError: If it is not installed.
    """
    modules = cast("dict[str, Any]", sys.modules)
    if modules.setdefault(_REPORTER, None) is not None:
        # Someone imported OpenVINO before: what it reported is gone, but no more follows.
        modules[_REPORTER].Telemetry().consent = False
    # None in there is Python's way to say that a module cannot be imported.
    try:
        import openvino
    except ImportError as error:
        raise MachineError(
            "openvino is not installed; pip install openvino, or take --engine torch"
        ) from error
    return openvino


@cache
def openvino_core() -> Any:
    """The one `Core` of this process.

    Each other would load the CPU's plugin anew, and unload it where it is forgotten.
    """
    return load_openvino().Core()
