"""Image files: NIfTI, NRRD, MetaImage, pictures, and their MONAI readers."""
