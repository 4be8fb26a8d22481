"""Use cases of telling: `notifications` is the outbox, `webhooks` who wants to know, `deliveries` each attempt, signed
with the key of `signing_key`; `gates` are asked before a promotion. Not here: what is worth telling, which the room
where it happens says."""
