"""How trackers want text written: Markdown, Jira's and Backlog's own markups, or plain text.

Text from outside is made visible first and then escaped for each markup: it mentions nobody, links and runs nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudscan_wording import markdown
from cloudscan_wording.visible import shortened, visible

_MOST_NAME = 120
# A backslash before any of these means "no markup" to Jira's renderer (Text Formatting Notation Help, "Misc").
_WIKI = re.compile(r"[\\*_?\-+^~{}\[\]|!#@&:]")
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_REFERENCE = re.compile(r"([#!&%~$])(?=\d)")
_MORE_TICKS = re.compile(r"`{3,}")


@dataclass(frozen=True, kw_only=True)
class Markup:
    """One markup language. Each function takes text and returns markup."""

    prose: Callable[[str], str]
    name: Callable[[str], str]  # text from outside
    heading: Callable[[str], str]
    item: Callable[[str], str]  # takes markup
    step: Callable[[int, str], str]  # takes markup
    command: Callable[[str], str]  # to be copied verbatim
    quote: Callable[[Sequence[str]], str]  # lines from outside, as they are
    aside: Callable[[str], str]  # a line for machines


def _markdown_prose(text: str) -> str:
    """GitHub and GitLab look for mentions and references after resolving entities: those get full-width signs."""
    text = _MENTION.sub("\uff20", text)
    return markdown.prose(_REFERENCE.sub(lambda sign: chr(ord(sign[1]) + 0xFEE0), text))


def _fence(text: str) -> str:
    return "`" * max(3, *(len(run) + 1 for run in _MORE_TICKS.findall(text)), 3)


def _quoted(lines: Sequence[str]) -> str:
    fence = _fence("\n".join(lines))
    return "\n".join((fence, *map(visible, lines), fence))


def _without_format(lines: Sequence[str]) -> str:
    shown = "\n".join(visible(line).replace("{noformat}", "{ noformat}") for line in lines)
    return f"{{noformat}}\n{shown}\n{{noformat}}"


def _fenced(text: str) -> str:
    fence = _fence(text)
    return f"   {fence}sh\n   {visible(text)}\n   {fence}"


MARKDOWN = Markup(
    prose=_markdown_prose,
    name=markdown.code,
    heading=lambda text: f"### {_markdown_prose(text)}",
    item=lambda text: f"- {text}",
    step=lambda number, text: f"{number}. {text}",
    command=_fenced,
    quote=_quoted,
    aside=lambda text: f"<!-- {text} -->",
)
"""GitHub, GitLab. Both keep a comment and hide it from readers."""


def _wiki(text: str) -> str:
    return _WIKI.sub(lambda sign: "\\" + sign[0], visible(text))


WIKI = Markup(
    prose=_wiki,
    name=lambda text: "{{" + _wiki(shortened(text, _MOST_NAME)) + "}}",
    heading=lambda text: f"h3. {_wiki(text)}",
    item=lambda text: f"* {text}",
    step=lambda _, text: f"# {text}",
    command=lambda text: "{noformat}" + visible(text).replace("{noformat}", "{ noformat}") + "{noformat}",
    quote=_without_format,
    aside=lambda text: "{noformat}" + text + "{noformat}",
)
"""Jira's text formatting notation."""

PLAIN = Markup(
    prose=visible,
    name=lambda text: shortened(visible(text), _MOST_NAME),
    heading=lambda text: visible(text).upper(),
    item=lambda text: f"- {text}",
    step=lambda number, text: f"{number}. {text}",
    command=lambda text: f"   {visible(text)}",
    quote=lambda lines: "\n".join(f"   {visible(line)}" for line in lines),
    aside=lambda text: text,
)
"""ServiceNow, webhooks."""

_BACKLOG_TICKS = str.maketrans({"@": "\uff20"})


def _backlog(text: str) -> str:
    """Backlog notifies the user whom an @ names, even in code."""
    return text.translate(_BACKLOG_TICKS)


BACKLOG = Markup(
    prose=lambda text: _backlog(_markdown_prose(text)),
    name=lambda text: _backlog(markdown.code(text)),
    heading=MARKDOWN.heading,
    item=MARKDOWN.item,
    step=MARKDOWN.step,
    command=MARKDOWN.command,
    quote=lambda lines: _backlog(_quoted(lines)),
    aside=lambda text: f"`{text}`",
)
"""Backlog with Markdown. It displays HTML comments, so the line for machines is set as code."""
