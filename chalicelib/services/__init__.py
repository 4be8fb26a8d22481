"""Use cases: load, decide (domain), save, act (ports). No rule lives here that the domain could hold.

A room for each noun: `pipelines`, `notifications` and `fleet` below, `clusters` and `cost`, `deployments`, and
`experiments` above them; the arrows between them are a contract in pyproject.toml. Beside the rooms only what all of
them are given (`context`), whom they let in (`tokens`), and one of each for the API (`services`).
"""
