"""Pull mode: says what the cluster sees, carries out what it is told."""
