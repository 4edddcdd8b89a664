"""What operations cost: the versioned, cited costs of the chips."""
