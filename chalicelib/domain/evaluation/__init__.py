"""How a verdict is reached: from counts to `scrapes`, to `measures`, to a `verdict` with its evidence. Pure.

evaluation.py is the way in (`evaluate`, `recompute`); plan.py what it is held to; interval.py how sure a ratio is;
`result` what comes out. No clock, no store, and no action: what follows from a verdict is the experiment's business.
"""
