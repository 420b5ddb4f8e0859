"""How trackers want text written: Markdown, Jira's and Backlog's own markups, or plain text.

Text from outside is made visible first and then escaped for each markup: it mentions nobody, links and runs nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from cloudscan_wording import markdown
from cloudscan_wording.visible import shortened, visible

_MOST_NAME = 120
_REMEMBERED = 4096  # texts of a kind
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_REFERENCE = re.compile(r"([#!&%~$])(?=\d)|(?<=\b[Gg][HhLl])-(?=\d)")
_SCHEME = re.compile(r"(?<=[a-z])://", re.IGNORECASE)
_BLOCK_START = re.compile(r"^(?:/|-(?=[\s-])|\d+(?=[.)](?:\s|$)))")
_MORE_TICKS = re.compile(r"`{3,}")
_ABOVE_BASIC_PLANE = re.compile("[\U00010000-\U0010ffff]")
# What has a meaning in a line of Backlog's notation: #image(…), &color(…), &br;, {code}, [[…]], ''bold'', %%struck%%,
# [ ] of a checklist.
_MACRO = re.compile(
    r"#(?=\w+\(|contents)|&(?=\w+[(;])|\{(?=/?(?:code|quote))|\[\[+|\]\]+|''+|%%+|\[(?=[ x]\])", re.IGNORECASE
)
_CODE_END = re.compile(r"\{(?=/?code)", re.IGNORECASE)
_LINE_START = re.compile(r"^\s*[*+>|-]")  # a heading, a list, a quotation, a table
_ISSUE_KEY = re.compile(r"\b([A-Z][A-Z0-9_]*)-(?=[0-9])")


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
    title: Callable[[str], str] = visible
    link: Callable[[str], str] = str  # takes an address of nothing but `A-Za-z0-9./?=&%#_:+-`


def remembering(markup: Markup) -> Markup:
    """The same markup, quick about what it was given before: the words of labels and rules are in every ticket."""
    return replace(
        markup,
        prose=lru_cache(_REMEMBERED)(markup.prose),
        name=lru_cache(_REMEMBERED)(markup.name),
        heading=lru_cache(_REMEMBERED)(markup.heading),
    )


def _unlinked(text: str) -> str:
    """Addresses in it are not made links by what shows it."""
    return _SCHEME.sub(":\uff0f\uff0f", text)


def _unmentioned(text: str) -> str:
    """GitHub and GitLab look for mentions, references and addresses after resolving entities: those get full-width
    signs. GitLab does so in titles too, whose mentions notify (`attr_mentionable :title` in its source).
    """
    text = _MENTION.sub("\uff20", _unlinked(text))
    return _REFERENCE.sub(lambda sign: chr(ord(sign[0]) + 0xFEE0), text)


def _markdown_prose(text: str) -> str:
    """A line that begins with a slash would be a quick action to GitLab, with another sign or a number a list."""
    text = markdown.prose(_unmentioned(text))
    return _BLOCK_START.sub(lambda start: f"{start[0][:-1]}&#{ord(start[0][-1])};", text)


def _fence(text: str) -> str:
    return "`" * max(3, *(len(run) + 1 for run in _MORE_TICKS.findall(text)), 3)


def _quoted(lines: Sequence[str]) -> str:
    fence = _fence("\n".join(lines))
    return "\n".join((fence, *map(visible, lines), fence))


def _literal(text: str) -> str:
    return _NO_FORMAT.sub("{ ", visible(text))


def _without_format(lines: Sequence[str]) -> str:
    return "\n".join(("{noformat}", *map(_literal, lines), "{noformat}"))


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
    title=lambda text: visible(_unmentioned(text)),
    link=lambda url: f"<{url}>",
)
"""GitHub, GitLab. Both keep a comment and hide it from readers."""


# What a backslash makes plain for Jira's renderer, and nothing else (`BackslashEscapeRendererComponent`, whose list is
# repeated in Atlassian's editor-wikimarkup-transformer): no colon, and no backslash, two of which break the line.
_WIKI = re.compile(
    r"[*_+^~{}\[\]|!#@]|(?<!\w)-|-(?!\w)|\?(?=\?)|(?<=\?)\?"
    r"|\((?=(?:[a-z*/!?+-]{1,8})\))|(?<=[:;])[()]|(?<=[:;]-)[()]"  # emoticons
)
_WIKI_START = re.compile(r"^(h[1-6]|bq)\.(?=\s)")
_NO_FORMAT = re.compile(r"\{(?=\s*noformat)", re.IGNORECASE)


def _wiki(text: str) -> str:
    text = _WIKI_START.sub("\\1\uff0e", _unlinked(visible(text)).replace("\\", "\uff3c"))
    return _WIKI.sub(lambda sign: "\\" + sign[0], text)


WIKI = Markup(
    prose=_wiki,
    name=lambda text: "{{" + _wiki(shortened(text, _MOST_NAME)) + "}}",
    heading=lambda text: f"h3. {_wiki(text)}",
    item=lambda text: f"* {text}",
    step=lambda number, text: f"{number}. {text}",  # Jira's own lists begin again with 1 after a command
    command=lambda text: "{noformat}" + _literal(text) + "{noformat}",
    quote=_without_format,
    aside=lambda text: "{noformat}" + text + "{noformat}",
    link=lambda url: f"[{url}]",
)
"""Jira's text formatting notation."""

_CODE_TAG = re.compile(r"\[(?=/?code\])", re.IGNORECASE)


def _plain(text: str) -> str:
    """ServiceNow renders what is between [code] tags in comments as HTML, and makes links of addresses."""
    return _CODE_TAG.sub("[ ", _unlinked(visible(text)))


PLAIN = Markup(
    prose=_plain,
    name=lambda text: shortened(_plain(text), _MOST_NAME),
    heading=lambda text: f"■ {_plain(text)}",
    item=lambda text: f"- {text}",
    step=lambda number, text: f"{number}. {text}",
    command=lambda text: f"   {visible(text)}",
    quote=lambda lines: "\n".join(f"   {_plain(line)}" for line in lines),
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
    """Addresses are cut in two by wide signs, since Backlog makes links of them; keys of issues get a hyphen that links
    nothing.
    """
    text = _LINE_START.sub(_wide, _unlinked(text))
    return _ISSUE_KEY.sub("\\1\u2011", _inert(text))


def _verbatim(text: str) -> str:
    """What is copied from the ticket: only what would end the code, or notify somebody, is replaced."""
    return _MENTION.sub("\uff20", _CODE_END.sub(_wide, visible(text)))


BACKLOG_NOTATION = Markup(
    prose=_notation,
    name=lambda text: _notation(shortened(text, _MOST_NAME)),  # {code} is a block, which would part the sentence
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
