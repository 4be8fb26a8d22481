"""Acceptance tests of the product on real components: the real CLI, control plane, supervisor, collector, processes."""
