"""Classical baselines: what segmentation without training reaches on the same cases."""
