"""The canary layout: each host runs one arm, and hosts are what is compared. Pure: no clock, no store, no randomness.

spec.py what a user writes; assignment.py which host runs which arm; before.py what was measured before the arms were
told apart; estimate.py the interval; measuring.py from scrapes to what the evidence keeps; verification.py its sums.
What both layouts share (scrapes, retention, decision, words) stays in `domain/evaluation`.
"""
