"""Available memory, honouring cgroup limits."""

from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_bytes"]

MEMINFO = Path("/proc/meminfo")
OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


def available_bytes(
    meminfo: Path = MEMINFO, own_groups: Path = OWN_GROUPS, groups: Path = GROUPS
) -> int | None:
    """Memory available without swapping, in bytes; None if the system does not report it.

    The minimum of what the machine has and what the control groups (cgroup v1 or v2) of a
    container or a batch system still allow.

    Args:
        meminfo: Linux's `/proc/meminfo`.
        own_groups: File that lists the groups of this process.
        groups: Folder of the groups' files.
    """
    try:
        lines = meminfo.read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return max(0, min([free * 1024, *_left_in_groups(own_groups, groups)]))


def _left_in_groups(own_groups: Path, groups: Path) -> Iterator[int]:
    for folder, limit, used in _group_folders(own_groups, groups):
        try:
            most = int((folder / limit).read_text(encoding="utf-8"))
            # Page cache that can be dropped counts as used, but is available.
            yield most - int((folder / used).read_text(encoding="utf-8")) + _forgettable(folder)
        except (OSError, ValueError):
            # "max" means no limit; a group without these files has no limit of its own.
            continue


def _group_folders(own_groups: Path, groups: Path) -> Iterator[tuple[Path, str, str]]:
    """Folder of each group of this process and of its parents, with the names of its files."""
    try:
        lines = own_groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = groups, ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            root, names = (
                groups / "memory",
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            )
        else:
            continue
        inside = root / path.strip("/")
        for folder in (inside, *inside.parents):
            yield folder, *names
            if folder == root:
                break


def _forgettable(folder: Path) -> int:
    stat = dict(
        line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
    )
    return int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
