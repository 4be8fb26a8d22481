"""A level-triggered loop: keyed queue, caches, workers, the Kubernetes API. Knows neither kopf nor Phoenix's kinds."""
