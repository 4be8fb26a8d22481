"""Real processes: `spawner` forks them in a bare interpreter (with `kernel`, `process` and `patterns`: the standard
library alone), `spawner_link` is the generator's end of it, `marker` finds them again, `headroom` says whether there is
room.

Imports nothing when imported: the spawner passes through this file. Not here: which processes there are (`population`).
"""
