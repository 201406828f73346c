"""Which packages a process imported, for tests."""

import re


def imported(importtime: str) -> set[str]:
    """Top-level packages in the output of ``python -X importtime``, some of it perhaps within JSON lines of a log."""
    return set(re.findall(r"import time:[^|]*\|[^|]*\|\s*(\w+)", importtime))
