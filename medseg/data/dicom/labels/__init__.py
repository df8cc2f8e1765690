"""Labels in DICOM: SEG and RTSTRUCT, read into the grid of their image."""
