"""Notifications: what is told, to whom, how it is signed, and when an attempt is repeated. Pure.

event.py says what happened, webhook.py who wants to hear of it, payload.py and signing.py what goes over the wire,
delivery.py what becomes of it, facts.py that each fact is told once, address.py where nothing is ever sent.
"""
