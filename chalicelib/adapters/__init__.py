"""The outside world, one folder a technology, each behind a port. Adapters never import services."""
