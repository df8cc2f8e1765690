"""Free memory: what the machine has, within what the groups of a process allow."""

import pytest

from medseg.data.cases.free_memory import available_bytes

GB = 10**9


@pytest.fixture
def machine(tmp_path):
    """A machine with 8 GiB available, and a function that puts this process into groups."""
    (tmp_path / "meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n")

    def put(own, files):
        (tmp_path / "cgroup").write_text(own)
        for name, content in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(content))
        return available_bytes(tmp_path / "meminfo", tmp_path / "cgroup", tmp_path / "groups")

    return put


def test_without_groups_it_is_what_the_machine_has(machine):
    assert machine("0::/\n", {}) == 8 * 2**30


def test_a_container_allows_less(machine):
    files = {
        "memory.max": 3 * GB,
        "memory.current": 2 * GB,
        "memory.stat": f"anon 5\ninactive_file {GB // 2}\n",
    }
    assert machine("0::/\n", files) == 3 * GB - 2 * GB + GB // 2


def test_the_parent_group_may_have_the_lowest_limit(machine):
    files = {
        "job/memory.max": GB,
        "job/memory.current": 0,
        "job/memory.stat": "anon 0\n",
        "job/step/memory.max": "max\n",
        "job/step/memory.current": 0,
    }
    assert machine("0::/job/step\n", files) == GB


def test_groups_of_the_first_version_count(machine):
    files = {
        "memory/memory.limit_in_bytes": 2 * GB,
        "memory/memory.usage_in_bytes": 3 * GB,
        "memory/memory.stat": "total_inactive_file 0\n",
    }
    own = "12:cpu:/x\n5:memory:/docker/abc\n1:name=systemd:/\n"
    # More is used than allowed: nothing is left.
    assert machine(own, files) == 0


def test_free_memory_is_none_if_the_system_does_not_report_it(tmp_path):
    assert available_bytes(tmp_path / "none") is None


def test_this_machine_reports_its_free_memory():
    assert 0 < available_bytes() < 2**50
