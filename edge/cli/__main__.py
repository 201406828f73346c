"""``python -m edge.cli``."""

from edge.cli import main

main()
