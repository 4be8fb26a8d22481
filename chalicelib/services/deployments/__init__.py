"""Use cases of deployments: `deployments` makes hosts follow a version, `promotion` makes one of a winner. Not here:
how an experiment comes to its winner (`experiments`)."""
