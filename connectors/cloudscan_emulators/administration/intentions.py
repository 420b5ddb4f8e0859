"""What Kumo Logistics intends: what matters how much, what its partner may see, who is meant to reach what."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

RANKS: Sequence[Mapping[str, object]] = (
    {"rank": "news-grade", "places": ["s3:kumo-customer-list", "gdrive:人事", "**/Board"], "containers": ["取締役会"]},
    {
        "rank": "confidential",
        "places": ["s3:kumo-contracts"],
        "tags": ["DataClassification=confidential"],
        "containers": ["機密", "Joint venture"],
    },
    {"rank": "working", "containers": ["Team *", "kumo-brochures"]},
)


def partners(today: date) -> Mapping[str, Mapping[str, object]]:
    """What the register of partners has beside names, domains and accounts, by partner."""
    return {
        "Tanuki Haulage": {
            "deputy": "mori@kumo.example",
            "purpose": "長距離輸送の委託",
            "starts": date(2024, 4, 1),
            "most_rank": "confidential",
            "places": ["gdrive:Joint venture", "m365:sites/haiso-Tanuki", "s3:kumo-*"],
            "most_access": "write",
            "personal_data": True,
            "abroad": False,
            "training_shown": today - timedelta(days=420),
            "logs_shown": today - timedelta(days=90),
            "incident_contact": "security@partner.example",
            "incident_hours": 24,
            "at_end": ["return", "deletion-certificate"],
        }
    }


def templates(today: date) -> bytes:
    """The file of permission templates."""
    return f"""\
# Who is meant to reach what. `cloudscan templates check` compares it with access as it is.
templates:
  - name: 人事
    where: [gdrive:人事]
    lines:
      - {{department: 人事部, access: manage}}
  - name: 営業
    where: [gdrive:営業]
    lines:
      - {{department: 営業部, access: manage}}
      - {{who: everybody, access: read}}
  - name: 共同事業
    where: [Joint venture]
    lines:
      - {{department: 営業部, access: manage}}
      - {{partner: Tanuki Haulage, access: write, until: {today + timedelta(days=120)}}}
  - name: 監査
    where: [gdrive:監査法人]
    lines:
      - {{department: 経理部, access: write}}
""".encode()
