"""The evaluation as values: `result` with its `arm_costs`, `retained` processes and `reasons`; `summary` in short.
What API, CLI and report show and what is stored. No rule is written here, and nothing is decided."""
