"""Image files: NIfTI, NRRD, MetaImage, pictures, and the readers for MONAI."""
