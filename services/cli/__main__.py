"""`python -m services.cli` is the command `opsjob`, also where it is not installed."""

from services.cli import main

main()
