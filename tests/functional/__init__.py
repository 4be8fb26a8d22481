"""Real processes and real binaries, one part of the system at a time."""
