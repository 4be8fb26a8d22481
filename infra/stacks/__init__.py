"""One stack a module: data (outlives every deployment of the code) and control plane (replaced by each)."""
