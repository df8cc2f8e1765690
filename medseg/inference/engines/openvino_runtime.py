"""Import of OpenVINO without its telemetry.

`import openvino` reports the import, and every conversion, to Google Analytics unless the user has
opted out by a file in their home. A tool for patients' images must not send anything, so the
telemetry package is blocked from import; OpenVINO has a stub for its absence.
"""

import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

from medseg.errors import MachineError

__all__ = ["has_openvino", "load_openvino", "openvino_core"]

_REPORTER = "openvino_telemetry"


def has_openvino() -> bool:
    """Whether OpenVINO is installed, without importing it."""
    return find_spec("openvino") is not None


def load_openvino() -> Any:
    """Import `openvino` without telemetry.

    Raises:
        MachineError: If it is not installed.
    """
    modules = cast("dict[str, Any]", sys.modules)
    if modules.setdefault(_REPORTER, None) is not None:
        # OpenVINO was imported before and has reported that; prevent further reports.
        modules[_REPORTER].Telemetry().consent = False
    # None in sys.modules makes the import of that module fail.
    try:
        import openvino
    except ImportError as error:
        raise MachineError(
            "openvino is not installed; pip install openvino, or use --engine torch"
        ) from error
    return openvino


@cache
def openvino_core() -> Any:
    """The single `Core` of this process.

    Any other would load the CPU plugin again, and unload it when it is garbage-collected.
    """
    return load_openvino().Core()
