"""From counts to scrapes: `clusters` joins parts, `collectors` says whose they are, `numbering` pairs them, `history`
keeps the old ones in short, `scrapes` says which are complete and which are missing. No statistics, no limits, no
verdict."""
