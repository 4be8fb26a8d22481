"""KPIs: what can be measured of an experiment, limited, or asked for as success. `registry` says what each one is; the
rows of `rows` say how each stands. No measurement and no decision is made here."""
