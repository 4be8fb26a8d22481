"""LoadSimulationJob to Jobs, and back to its status."""
