"""Results of experiments as metrics that others graph: which figures, under which names and labels. Pure."""
