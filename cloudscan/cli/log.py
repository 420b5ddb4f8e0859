"""The one way to stderr: what cloudscan has to say beside its results, and what libraries say through `logging`.

As text, each line begins with ``cloudscan:`` and is for a person, in their language; of libraries, only errors are
shown, in one line each. As JSON, every line is one object, wherever it comes from: `time` (RFC 3339, UTC), `event`,
`level`, `seconds_in`, and for a library's line its `logger`. In both, text of strangers is made plain.
"""

import logging
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from cloudscan.cli.language import last_value
from cloudscan.sentence import in_language, say
from cloudscan.text import first_line, plain

_OWN: Final = "cloudscan"
_LIBRARY: Final = "library.message"  # the event of a line that is not ours
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\]{}\"',;:=/\\]+@(?=[\w-]+\.)")


def warn(problem: object, event: str = "warning", **fields: object) -> None:
    """Say what went wrong and does not end the command. `event` and `fields` are for the JSON line."""
    logging.getLogger(_OWN).warning(problem, extra={"event": event, **fields})


def fail(problem: object, event: str = "failed", *, cause: BaseException | None = None, **fields: object) -> None:
    """Say why the command ends. The stack trace of a cause is shown where --debug asks for it."""
    logging.getLogger(_OWN).error(problem, exc_info=cause, extra={"event": event, **fields})


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line, or its configuration, asks for JSON lines. Only a scan can be asked."""
    if "scan" not in arguments:
        return False
    written = last_value(arguments, "--log")
    return written == "json" if written else _configured(arguments) == "json"


@contextmanager
def to_stderr(language: str, *, as_json: bool, debug: bool) -> Iterator[None]:
    """While it lasts, all that is logged, Python's own warnings, and the ends of threads are written to stderr."""
    handler = _Stderr(own_only=not (as_json or debug))
    handler.setFormatter(_json_lines(debug=debug) if as_json else _Text(language, debug=debug))
    root, own = logging.getLogger(), logging.getLogger(_OWN)
    level, hooks = own.level, (threading.excepthook, sys.unraisablehook)
    root.addHandler(handler)
    own.setLevel(logging.INFO if as_json else logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook, sys.unraisablehook = _thread_failed, _not_raised
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        own.setLevel(level)
        root.removeHandler(handler)


class _Stderr(logging.Handler):
    """Writes to what `sys.stderr` is at that moment: a progress display puts lines above itself."""

    def __init__(self, *, own_only: bool) -> None:
        super().__init__()
        self._own_only = own_only

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._own_only or _is_own(record) or record.levelno >= logging.ERROR

    def emit(self, record: logging.LogRecord) -> None:
        try:
            click.echo(self.format(record), err=True)
        except OSError:  # nobody reads it any more
            return
        except Exception:  # noqa: BLE001 - a line that cannot be written must not end a scan
            click.echo(self.format(_unwritable(record)), err=True)


class _Text(logging.Formatter):
    """Lines for a person."""

    def __init__(self, language: str, *, debug: bool) -> None:
        super().__init__()
        self._language, self._debug = language, debug

    def format(self, record: logging.LogRecord) -> str:
        trace = f"{plain(self.formatException(record.exc_info))}\n" if self._debug and record.exc_info else ""
        if not _is_own(record):
            return f"{trace}{_OWN}: {plain(record.name)}: {plain(first_line(record.getMessage()))}"
        said = in_language(record.msg, self._language)
        return f"{trace}{_OWN}: {plain(said)}"


def _json_lines(*, debug: bool) -> logging.Formatter:
    from pythonjsonlogger.msgspec import MsgspecFormatter

    class Lines(MsgspecFormatter):
        started = time.time()

        def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
            when, level, name, message = (log_data.pop(key) for key in ("time", "levelname", "name", "message"))
            first = {
                "time": when,
                "event": log_data.pop("event", _LIBRARY),
                "level": level.lower(),
                "seconds_in": round(when.timestamp() - self.started, 3),
            }
            if first["event"] == _LIBRARY:
                first["logger"] = name
            if not debug:
                log_data.pop("exc_info", None)
            written = {**first, **({"message": message} if message else {}), **log_data}
            return {key: _safe(value) for key, value in written.items()}

    return Lines("levelname,name,message", style=",", timestamp="time")


def _safe(value: object) -> object:
    """Text made plain, on one line, without the names in mail addresses; anything else as it is."""
    if not isinstance(value, str):
        return value
    return _ADDRESS.sub("***@", plain(str(value)))


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == _OWN


def _unwritable(record: logging.LogRecord) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": record.name, "levelno": record.levelno, "levelname": record.levelname, "msg": "a line of the log "
         "cannot be written", "event": getattr(record, "event", _LIBRARY)}
    )  # fmt: skip


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    what = f"{failure.exc_type.__name__}: {failure.exc_value}"
    fail(say("a thread of cloudscan has failed ({what}).", what=what), "thread.failed", cause=failure.exc_value)


def _not_raised(failure: "sys.UnraisableHookArgs") -> None:
    """What Python would print, of an object that could not be cleaned up."""
    logging.getLogger("python").warning("%s in %r", failure.exc_value, failure.object)


def _configured(arguments: Sequence[str]) -> object:
    """What the configuration says; None where it cannot be read, which is reported later."""
    path = last_value(arguments, "--config") or last_value(arguments, "-c") or "cloudscan.toml"
    import tomllib

    try:
        table: Mapping[str, Any] = tomllib.loads(Path(path).read_text("utf-8-sig"))
        return table["scan"]["log"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return None
