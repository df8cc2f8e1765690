"""Jobs on a Ray cluster: connection, checks of its nodes, and the foreman that keeps them."""
