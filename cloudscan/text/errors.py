"""What an error of another library says, in one line."""


def first_line(error: object, most: int = 300) -> str:
    """The first line of an error's text, at most `most` characters; the error's type where it has no text."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:most]
