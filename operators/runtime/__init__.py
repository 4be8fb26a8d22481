"""The operator as a process: settings, wiring, metrics, leadership, process life. Alone sees kopf and adapters."""
