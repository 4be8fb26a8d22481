"""How a verdict is reached: from counts to scrapes, to an interval, to a decision with its evidence. Pure.

evaluation.py is the way in (`evaluate`, `recompute`); plan.py what it is held to; result.py what comes out.
No clock, no store, and no action: what follows from a verdict is the experiment's business.
"""
