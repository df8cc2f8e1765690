"""Studies: what a choice is worth, with its noise, its cost and its proof."""
