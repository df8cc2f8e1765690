"""Planning: a bundle of the user's own from a folder of images, and its cross-validation."""
