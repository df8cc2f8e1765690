"""Connection to a Ray cluster, or a Ray of this machine alone, started and ended with a run."""

import logging
import os
import re
import secrets
import socket
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from medseg._signals import signals_kept
from medseg.errors import MachineError
from medseg.executor.places import count_cores

__all__ = ["connected", "import_ray"]

logger = logging.getLogger(__name__)

# Nothing large goes through Ray's object store: results are files.
_STORE_BYTES = 100 * 2**20
_NAMESPACE = "medseg"
_PATIENCE_SECONDS = 10.0
_START = "start one there (ray start --head), and from outside the cluster give ray://HOST:10001"


def import_ray() -> Any:
    """Ray, told not to report its use.

    Raises:
        MachineError: If it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A Ray started here runs jobs as fast as plain processes; it would lower their priority.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Jobs without GPUs see none, which later versions no longer do by themselves.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise MachineError("Ray is not installed here; pip install 'medseg[cluster]'") from error
    # What it has to say of its nodes would go to standard output, where a report may be JSON.
    worker: Any = import_module("ray._private.worker")
    worker.print_to_stdstream = _log
    return ray


@contextmanager
def connected(address: str | None, cpus: int) -> Generator[Any]:
    """Ray, connected within a block; a connection that the caller has made is used and kept.

    Args:
        address: `HOST:PORT` for a machine of the cluster, `ray://HOST:PORT` from outside; None for
            that of `RAY_ADDRESS`, or else for a Ray of this machine alone, ended with the block.
        cpus: Cores that such a Ray gives to jobs, if they are more than this machine has.

    Raises:
        MachineError: If no cluster answers, or its token is another.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    if address is None:
        _own_token()
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    common = {"namespace": _NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR}
    own = {
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "num_cpus": max(cpus, count_cores()),
    }
    if address is not None:
        _require_answer(address)
    try:
        # It would end this process at SIGTERM in its own way.
        with signals_kept():
            ray.init(address=address or "local", **common, **({} if address else own))
    except Exception as error:
        raise MachineError(_reason(address, error)) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _log(told: Mapping[str, Any], **_: object) -> None:
    for line in told.get("lines", ()):
        logger.info("Ray: %s", line)


def _require_answer(address: str) -> None:
    """Ask the port first: Ray itself takes minutes to find that nobody listens."""
    found = re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d{1,5})(?:/.*)?", address)
    if address in ("auto", "local") or found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), _PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise MachineError(f"--address {address}: nobody answers ({error}); {_START}") from error


def _own_token() -> None:
    """A token of this process alone: a Ray listens on ports that all users of a machine reach."""
    # Ray reads the mode once, when it is imported.
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _reason(address: str | None, error: Exception) -> str:
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
    if address is None:
        return f"Ray cannot be started here ({line}); use --on local"
    return (
        f"--address {address}: Ray does not answer ({line}); if it asks for a token, set "
        f"RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH to its file; else {_START}"
    )
