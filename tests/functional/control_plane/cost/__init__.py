"""Cost and budgets through HTTP."""
