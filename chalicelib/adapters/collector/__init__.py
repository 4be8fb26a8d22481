"""The collector binary, run as a program."""
