"""Nodes of a Ray cluster, checked before jobs are begun: what they see, have and are."""

import os
import platform
import secrets
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medseg.errors import MachineError
from medseg.executor.job import Job

__all__ = ["check_nodes", "problem", "require_place", "resources_of", "versions"]

_PATIENCE_SECONDS = 60.0
# What results depend on.
_PACKAGES = ("medseg", "torch", "monai")


def resources_of(job: Job) -> dict[str, float]:
    """What a job takes of a node, by Ray's words."""
    memory = {} if job.memory_gb is None else {"memory": job.memory_gb * 1e9}
    return {"num_cpus": job.cpus, "num_gpus": job.gpus, **memory}


def check_nodes(ray: Any, jobs: Sequence[Job], folders: Sequence[Path]) -> None:
    """Refuse a cluster that cannot run jobs.

    Args:
        ray: Connected Ray.
        jobs: The jobs.
        folders: Folders that every node has to see: that of the results, which has to be
            writable, and the one in which the jobs run.

    Raises:
        MachineError: For the first node that sees another disk or has other versions, or a job that
            no node has place for.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    for job in jobs:
        require_place(job, [node["Resources"] for node in nodes])
    mark = folders[0] / f".medseg-probe-{secrets.token_hex(8)}"
    folders[0].mkdir(parents=True, exist_ok=True)
    mark.touch()
    try:
        probe = ray.remote(max_retries=0, num_cpus=0)(problem)
        asked = [
            probe.options(scheduling_strategy=_at(node)).remote(folders, mark, versions())
            for node in nodes
        ]
        answers = [_answer(ray, answer) for answer in asked]
    finally:
        mark.unlink(missing_ok=True)
    for node, answer in zip(nodes, answers, strict=True):
        if answer:
            name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            raise MachineError(f"node {name}: {answer}")


def versions() -> dict[str, str]:
    """Versions that results depend on, without the part that names a build."""
    found = {"Python": platform.python_version().rpartition(".")[0]}
    for package in _PACKAGES:
        try:
            found[package] = version(package).partition("+")[0]
        except PackageNotFoundError:
            found[package] = "none"
    return found


def require_place(job: Job, nodes: Sequence[Mapping[str, float]]) -> None:
    """Refuse a job that no node has place for, by Ray's resources of each.

    Raises:
        MachineError: For its cores, GPUs or memory.
    """
    words = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
    wanted = {words[word]: amount for word, amount in resources_of(job).items()}
    if not any(all(has.get(word, 0) >= most for word, most in wanted.items()) for has in nodes):
        memory = "" if job.memory_gb is None else f" and {job.memory_gb:g} GB of memory"
        raise MachineError(
            f"{job.name}: needs {job.cpus} cores, {job.gpus:g} GPUs{memory}, which no node of this "
            "cluster has; ask for less, or start a node that has them"
        )


def _at(node: Mapping[str, Any]) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)


def _answer(ray: Any, answer: Any) -> str:
    try:
        return ray.get(answer, timeout=_PATIENCE_SECONDS)
    except ray.exceptions.GetTimeoutError:
        return f"does not answer within {_PATIENCE_SECONDS:.0f} s; see `ray status`"
    except ray.exceptions.RayTaskError as error:
        text = str(error)
        if "No module named 'medseg" in text:
            return "medseg is not installed there, or not for Ray's Python; install it"
        return text.strip().splitlines()[-1][:300]
    except ray.exceptions.RayError:
        # Lost since the cluster was asked for its nodes: what remains goes on without it.
        return ""


def problem(folders: Sequence[Path], mark: Path, expected: Mapping[str, str]) -> str:
    """What is wrong with the node on which this runs; empty if nothing is.

    Args:
        folders: Folders that it has to see; the first has to be writable.
        mark: A file that was just made in the first.
        expected: `versions` of the driver's machine.
    """
    unseen = [folder for folder in folders if not folder.is_dir()]
    if unseen or not mark.exists():
        return (
            f"does not see {unseen[0] if unseen else folders[0]}; it has to lie on a disk that all "
            "nodes share, under the same path"
        )
    if not os.access(folders[0], os.W_OK):
        return f"may not write into {folders[0]}; change its permissions"
    for package, wanted in expected.items():
        found = versions()[package]
        if found != wanted:
            return (
                f"has {package} {found} and this machine {wanted}, so results could differ; "
                f"install the same (its Python is {sys.executable})"
            )
    return ""
