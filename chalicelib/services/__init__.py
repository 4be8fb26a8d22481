"""Use cases: load, decide (domain), save, act (ports). No rule lives here that the domain could hold."""
