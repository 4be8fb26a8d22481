"""Cost, by stream and by process name, price books and budgets. No figure is computed here."""
