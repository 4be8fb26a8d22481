"""Nouns onto items, once. A repository turns values into items of the store port and back, and knows no rule.

Tenant isolation lives in the partition key (`T#<tenant>#<KIND>`), so that no query can forget it.
"""
