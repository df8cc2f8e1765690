"""Connection to a Ray cluster, or a Ray of this machine alone, started and ended with a run."""

import logging
import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from medseg.errors import MachineError
from medseg.executor.places import count_cores

__all__ = ["connected", "import_ray"]

# Nothing large goes through Ray's object store: results are files.
_STORE_BYTES = 100 * 2**20
_NAMESPACE = "medseg"


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
        return import_module("ray")
    except ImportError as error:
        raise MachineError("Ray is not installed here; pip install 'medseg[cluster]'") from error


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
    try:
        ray.init(address=address or "local", **common, **({} if address else own))
    except Exception as error:
        raise MachineError(_reason(ray, address, error)) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _own_token() -> None:
    """A token of this process alone: a Ray listens on ports that all users of a machine reach."""
    # Ray reads the mode once, when it is imported.
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _reason(ray: Any, address: str | None, error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if address is None:
        return f"Ray cannot be started here ({lines[0][:300]}); use --on local"
    if isinstance(error, ray.exceptions.AuthenticationError):
        return (
            f"--address {address}: the cluster asks for a token; set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN_PATH to its file"
        )
    return (
        f"--address {address}: no Ray answers ({lines[0][:300]}); start one there (ray start "
        "--head), and from outside the cluster give ray://HOST:10001"
    )
