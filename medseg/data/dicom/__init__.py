"""DICOM: find, choose, read and place series; write SEG and SR."""
