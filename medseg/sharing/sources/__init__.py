"""Sources of bundles: files, folders, https addresses and shares."""
