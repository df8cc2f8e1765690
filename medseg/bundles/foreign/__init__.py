"""Foreign bundles: those of other makers, in the form of MONAI's model zoo."""
