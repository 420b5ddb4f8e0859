"""A company's own rule, in a folder of its own, as it is edited from one night to the next."""

from pathlib import Path

from tests.kit.toy_cloud import RULES

_FLAGGED = "e.audience >= 'anyone_with_link'"


def keep_rule(folder: Path, *, colleagues: bool = False, by_parameter: bool = False) -> None:
    """Write the rule of the toy company: with `colleagues` it counts them, too, `by_parameter` as configured."""
    (source,) = RULES.rglob("*.yaml")
    text = source.read_text("utf-8")
    if colleagues:
        text = text.replace(_FLAGGED, "e.audience >= 'organisation'")
        text = text.replace("{audience: organisation}", "{audience: owner}")
    if by_parameter:
        condition = f"CASE WHEN $colleagues THEN e.audience >= 'organisation' ELSE {_FLAGGED} END"
        text = text.replace(_FLAGGED, condition)
        text = text.replace("query: |", "params: {colleagues: {default: false, meaning: they count}}\nquery: |")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / source.name).write_text(text, encoding="utf-8")
