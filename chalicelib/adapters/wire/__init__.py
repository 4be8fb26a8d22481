"""What both wire formats share: a request body with its limits."""
