"""`python -m phoenix_cli` is `phoenix`."""

from phoenix_cli.main import main

main()
