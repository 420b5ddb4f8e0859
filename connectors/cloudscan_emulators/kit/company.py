"""What the invented companies share: Japanese names, departments, and a quick way to build very many records."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

FAMILY_NAMES = (
    ("sato", "佐藤"),
    ("suzuki", "鈴木"),
    ("takahashi", "高橋"),
    ("tanaka", "田中"),
    ("ito", "伊藤"),
    ("watanabe", "渡辺"),
    ("yamamoto", "山本"),
    ("nakamura", "中村"),
    ("kobayashi", "小林"),
    ("kato", "加藤"),
    ("yoshida", "吉田"),
    ("yamada", "山田"),
    ("sasaki", "佐々木"),
    ("yamaguchi", "山口"),
    ("matsumoto", "松本"),
    ("inoue", "井上"),
)
"""Family names in Latin letters, as in addresses, and in Japanese."""

GIVEN_NAMES = ("翔太", "美咲", "健", "陽子", "大輔", "恵", "拓也", "葵", "誠", "結衣")
DEPARTMENTS = ("営業部", "配送部", "経理部", "人事部", "情報システム部", "倉庫部")

_LARGE = 100_000  # records


@contextmanager
def without_garbage_collection(records: int) -> Iterator[None]:
    """Build so many records without looking for cycles among them, which would double the time.

    A large company is then taken out of later collections (`gc.freeze`), which would delay every answer.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        if records >= _LARGE:
            gc.freeze()
    finally:
        if enabled:
            gc.enable()
