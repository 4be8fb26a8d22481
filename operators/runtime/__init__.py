"""Process life and wiring: kopf, settings, leader election, metrics. Decides nothing."""
