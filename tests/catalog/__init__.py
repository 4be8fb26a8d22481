"""The real collector on real processes, compared scrape by scrape with brute force over the raw stream."""
