"""How the process logs: lines for people, or one JSON object a line. To stderr."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

QUIET = ("aiohttp.access", "asyncio")


class JsonLines(logging.Formatter):
    """One object a line, with the trace as a field."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def begin(level: str, as_json: bool) -> None:
    """Set the process's logging up; once, from main."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonLines() if as_json else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
