"""``python -m mar_edge``."""

from mar_edge.cli.main import main

main()
