"""The language at the terminal: chosen in one place, for help, errors and output alike.

`--lang`, else what the configuration says, else the environment, else English.
"""

import gettext
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from cloudscan.sentence import in_language
from cloudscan.text import plain

SOURCE: Final = "en"
KNOWN: Final = (SOURCE, "ja")
LANGUAGES: Final = click.Choice(KNOWN)
HELP: Final = "Language of the output.  [default: as configured, else as the environment]"
_CLICK: Final = "messages"  # the domain in which click looks up its own words
_CONFIGURATION: Final = "cloudscan.toml"
_META: Final = "cloudscan.language"
_WRITTEN: Final = "cloudscan.language.written"


def chosen(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language for a command line: its own, the configuration's or the environment's."""
    return (
        written(arguments)
        or _configured(Path(last_value(arguments, "--config") or last_value(arguments, "-c") or _CONFIGURATION))
        or of_environment(environment)
    )


def written(arguments: Sequence[str]) -> str:
    """What the command line says itself; empty if nothing that is known."""
    return last_value(arguments, "--lang", KNOWN)


def of_environment(environment: Mapping[str, str]) -> str:
    """The first known language among LANGUAGE, LC_ALL, LC_MESSAGES and LANG, as gettext reads them."""
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    if locale in ("C", "POSIX"):
        return SOURCE
    for name in (*environment.get("LANGUAGE", "").split(":"), locale or _of_windows()):
        language = name.partition("_")[0].partition("-")[0].partition(".")[0].lower()
        if language in KNOWN:
            return language
    return SOURCE


def current() -> str:
    """The language of the command that runs now; English outside of one."""
    context = click.get_current_context(silent=True)
    return str(context.meta.get(_META, SOURCE)) if context else SOURCE


def explicit() -> str | None:
    """The current language if the command line itself says it, else None."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_WRITTEN) or None if context else None


def speak(context: click.Context, arguments: Sequence[str]) -> None:
    """Set the language of a command and of its subcommands."""
    context.meta[_META], context.meta[_WRITTEN] = chosen(arguments, os.environ), written(arguments)


def spoken(text: object) -> str:
    """A sentence in the current language, for click's own errors."""
    return in_language(text, current())


def echo(text: object = "", *, err: bool = False) -> None:
    """Print a sentence in the current language, or a text as it is, with control characters written out."""
    click.echo(plain(spoken(text)), err=err)


@contextmanager
def clicks_own_words(language: str) -> Iterator[None]:
    """While it lasts, click's errors and headings are in the language: gettext asks the environment for it."""
    before = os.environ.get("LANGUAGE")
    gettext.bindtextdomain(_CLICK, str(Path(__file__).parent / "locale"))
    os.environ["LANGUAGE"] = language
    try:
        yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def last_value(arguments: Sequence[str], option: str, known: Sequence[str] = ()) -> str:
    """What an option is given, wherever it stands; empty if nothing, or nothing known."""
    value = ""
    before = ""
    for argument in arguments:
        if argument == "--":
            break
        if before == option:
            value = argument
        elif argument.startswith(f"{option}="):
            value = argument.partition("=")[2]
        before = argument
    return value if value in known or not known else ""


def _configured(path: Path) -> str:
    """What the configuration says; empty where it does not, or cannot be read, which is reported later."""
    if not path.is_file():
        return ""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8-sig")).get("organisation")
    except (OSError, ValueError, RecursionError):
        return ""
    language = table.get("language") if isinstance(table, dict) else None
    return language if isinstance(language, str) and language in KNOWN else ""


def _of_windows() -> str:
    """The language of Windows' own menus, which sets no variable; empty elsewhere."""
    if sys.platform != "win32":
        return ""
    import ctypes
    import locale

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
