"""Training: what a bundle's trainer needs beyond MONAI and ignite."""
