"""What is wrong with a collector configuration, as values: the rules, what they find, and how a trial run is judged.

Pure: text and trees in, findings out. Reading YAML, asking a collector and running one are adapters' work; which of
these happen, and in which order, is `services.pipelines.validation`.
"""
