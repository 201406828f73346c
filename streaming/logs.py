"""Logs on standard error: a line for people on a terminal, a JSON document a line for machines elsewhere."""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone

import msgspec

LOGGER = "mar_edge"


class JsonLines(logging.Formatter):
    """``{"time": ..., "level": ..., "logger": ..., "thread": ..., "message": ...}``, with the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, one line."""
        document = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(document).decode()


def set_up_logs() -> None:
    """Send our log to standard error; what others log there is left alone."""
    handler = logging.StreamHandler(sys.stderr)
    people = logging.Formatter("%(asctime)s %(levelname)s %(threadName)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(people if sys.stderr.isatty() else JsonLines())
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
