"""What holds for every route: who may call it, what it says to bad input, and the document that describes it."""
