"""One module a noun: Typer commands over the HTTP client. They parse, call and print; they decide nothing."""
