"""``python -m mar_edge``."""

from mar_edge.cli import main

main()
