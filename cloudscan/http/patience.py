"""How long to try again, and how long to wait in between.

Free of libcurl, so that the core can use it where the extra ``cloudscan[web]`` is not installed.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to go on asking, and how long to wait in between.

    A server that throttles says that it will answer later, so it is asked for `span` seconds, however often that is. A
    server that fails or is silent is asked `attempts` times.
    """

    attempts: int = 5  # the first included
    span: float = 0.0  # seconds for which a server that throttles is asked again, if that is longer than `attempts`
    pause: float = 1.0  # seconds before the second attempt; doubles each time, with jitter
    longest: float = 32.0  # seconds, at most, before any attempt
    timeout: float = 90.0  # seconds for one answer

    def is_left(self, attempt: int, elapsed: float, *, throttled: bool) -> bool:
        """Whether to ask again after the failure of an attempt, counted from 1, `elapsed` seconds after the first."""
        return attempt < self.attempts or (throttled and elapsed < self.span)

    def wait(self, attempt: int, asked: float | None = None) -> float:
        """Seconds to wait after the failure of an attempt, counted from 1.

        `asked` is how long the server wants us to wait, if it says so; that is kept to, however long, plus at most one
        `pause`. Otherwise between half and all of a pause that doubles up to `longest`. Jitter keeps clients that
        failed together from coming back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
        """
        if asked is not None:
            return asked + random.uniform(0, min(self.pause, self.longest))  # noqa: S311 - jitter is not a secret
        backoff = min(self.longest, self.pause * 2 ** (attempt - 1))
        return random.uniform(backoff / 2, backoff)  # noqa: S311
