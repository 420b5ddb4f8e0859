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
_ABOVE_BASIC_PLANE = re.compile("[\U00010000-\U0010ffff]")
# What has a meaning in a line of Backlog's notation: #image(…), &color(…), &br;, {code}, [[…]], ''bold'', %%struck%%.
_MACRO = re.compile(r"#(?=\w+\(|contents)|&(?=\w+[(;])|\{(?=/?(?:code|quote))|\[\[+|\]\]+|''+|%%+", re.IGNORECASE)
_CODE_END = re.compile(r"\{(?=/?code)", re.IGNORECASE)
_LINE_START = re.compile(r"^\s*[*+>|-]")  # a heading, a list, a quotation, a table
_ISSUE_KEY = re.compile(r"\b([A-Z][A-Z0-9_]*)-(?=[0-9])")
_ADDRESS = re.compile(r"(https?://[^\s、。）」]+)", re.IGNORECASE)


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


def _unmentioning(text: str) -> str:
    """Backlog notifies the user whom an @ names, even in code."""
    return text.replace("@", "\uff20")


BACKLOG = Markup(
    prose=lambda text: _unmentioning(_markdown_prose(text)),
    name=lambda text: _unmentioning(markdown.code(text)),
    heading=MARKDOWN.heading,
    item=MARKDOWN.item,
    step=MARKDOWN.step,
    command=lambda text: _MENTION.sub("\uff20", _fenced(text)),
    quote=lambda lines: _unmentioning(_quoted(lines)),
    aside=lambda text: f"`{text}`",
)
"""Backlog with Markdown. It displays HTML comments, so the line for machines is set as code."""


def _wide(match: re.Match[str]) -> str:
    """The full-width forms of what was found: they look alike and have no meaning in any markup."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in match[0])


def _inert(text: str) -> str:
    """Text in which nothing is a macro, a link in brackets or a mention."""
    return _unmentioning(_MACRO.sub(_wide, visible(text)))


def _notation(text: str) -> str:
    """Addresses are set as code, since Backlog makes links of them; keys of issues get a hyphen that links nothing."""
    parts = _ADDRESS.split(_LINE_START.sub(_wide, text))
    return "".join(
        _in_code(part) if at % 2 else _ISSUE_KEY.sub("\\1\u2011", _inert(part)) for at, part in enumerate(parts)
    )


def _in_code(text: str) -> str:
    return "{code}" + _inert(text) + "{/code}"


def _verbatim(text: str) -> str:
    """What is copied from the ticket: only what would end the code, or notify somebody, is replaced."""
    return _MENTION.sub("\uff20", _CODE_END.sub(_wide, visible(text)))


BACKLOG_NOTATION = Markup(
    prose=_notation,
    name=lambda text: _in_code(shortened(text, _MOST_NAME)),
    heading=lambda text: f"** {_notation(text)}",
    item=lambda text: f"- {text}",
    step=lambda number, text: f"{number}. {text}",  # a numbered list would begin anew after each command
    command=lambda text: f"{{code}}{_verbatim(text)}{{/code}}",
    quote=lambda lines: "{code}\n" + "\n".join(_verbatim(line) for line in lines) + "\n{/code}",
    aside=lambda text: f"{{code}}{text}{{/code}}",
)
"""Backlog with its own notation (Backlog Help, "Text formatting rules (Backlog notation)")."""


def within_basic_plane(text: str) -> str:
    """Text with every character above U+FFFF named by its number: ⟦U+20BB7⟧.

    Backlog refuses them ("Incorrect String"), and an unambiguous name is told apart from its like.
    """
    return _ABOVE_BASIC_PLANE.sub(lambda sign: f"\u27e6U+{ord(sign[0]):04X}\u27e7", text)
