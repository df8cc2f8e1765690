"""DICOM: find, choose and read series; write SEG and SR."""
