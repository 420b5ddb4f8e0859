"""What a mail address says about its owner."""

CONSUMER = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.co.jp",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "web.de",
        "t-online.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "163.com",
        "126.com",
        "naver.com",
        "docomo.ne.jp",
        "ezweb.ne.jp",
        "au.com",
        "softbank.ne.jp",
        "i.softbank.jp",
        "nifty.com",
        "biglobe.ne.jp",
        "so-net.ne.jp",
        "ocn.ne.jp",
        "mail.ru",
        "yandex.ru",
        "zoho.com",
        "fastmail.com",
        "hey.com",
    }
)
"""Domains where anyone can get a mail account."""


def domain_of(address: str) -> str:
    """The domain of a mail address, in lower case; empty for a text that is not an address."""
    return address.rpartition("@")[2].lower() if "@" in address else ""
