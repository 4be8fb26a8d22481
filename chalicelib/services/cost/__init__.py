"""Use cases of cost: `cost` reports, over `streams` and `stream_hours`, at the prices of `price_books`; `budgets` are
held against it. Not here: who is told (`notifications`), and what a stream's experiment or deployment does next."""
