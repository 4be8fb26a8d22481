"""LoadSimulationJobs without a cluster."""
