"""How things are shown: pure functions from values to text, tables and the report page.

Not here: reading a clock, the network, files or the environment, and printing. Numbers are shown, never made.
"""
