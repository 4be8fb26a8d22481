"""Requests into the outside world, to addresses that users name: one bounded exchange, for every adapter that asks."""
