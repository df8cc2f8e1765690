"""Networks: one U-Net for 2-D and 3-D."""
