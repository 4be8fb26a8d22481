"""From what was measured to the answer: `criteria` and `decision` by rules, `table` and `wording` for people, all
brought together in `conclusion`; `verification` does it again on what is stored. Nothing is measured or counted here:
what was kept as evidence is enough."""
