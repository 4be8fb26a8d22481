"""Small protocols in domain words: what the services need of the outside world."""
