"""Use cases of experiments: `experiments` takes them in and shows them, `stepping` carries them on, of what `observing`
and `looking` see; `sources` says where figures are read, `canaries` which host runs which arm, `results` what others
graph. No other room imports this one. Not here: the deployment that a winner becomes (`deployments`)."""
