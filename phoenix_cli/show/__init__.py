"""How things are shown: pure functions from values to text, tables and the report page. Rooms for the nouns, a room for
the page; beside them `figures`, `tables` (lists of any noun) and what more than one room shows.

Not here: reading a clock, the network, files or the environment, and printing. Numbers are shown, never made.
"""
