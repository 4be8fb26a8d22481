"""From scrapes to what was measured: `levels` of what was counted and sent, `overhead` and `arms` of the collectors,
`retention` and `deployed` of the critical processes; each beside its limit. Not here: what follows for the experiment
(`verdict`), and how scrapes came about (`scrapes`)."""
