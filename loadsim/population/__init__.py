"""Which processes a load consists of, as values: `profiles` and `groups`, through `stages`, with `lifetimes`; `keeper`
decides what to start and to end. Pure and seeded: no process, no clock."""
