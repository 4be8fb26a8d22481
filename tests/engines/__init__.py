"""Real engines that tests and benchmarks start: where they are found, how they are started and stopped."""
