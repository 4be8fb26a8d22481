"""The report page of an experiment: `report` fills the templates beside it, `plot` draws on the scales of `axis`. Words
that the terminal has too are `experiment`'s."""
