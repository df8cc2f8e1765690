"""Nodes of a Ray cluster on this machine, for tests: a head without cores, and nodes of one core.

    python -m tests.executor.nodes NUMBER

Prints the address, then kills the node of each number that it reads, and ends with its input.
"""

import sys

from medseg.executor.on_ray.connect import import_ray


def main() -> None:
    """Start the nodes."""
    import_ray()
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20}
    head = {"num_cpus": 0, "include_dashboard": False, **small}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, **small) for _ in range(int(sys.argv[1]))]
    cluster.wait_for_nodes()
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        cluster.remove_node(nodes[int(line)], allow_graceful=False)
    cluster.shutdown()


if __name__ == "__main__":
    main()
