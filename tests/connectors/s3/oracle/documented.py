"""One policy a line, and what AWS's pages say of it."""

from tests.connectors.s3.buckets import (
    OTHER_ORGANISATION,
    OUR_ORGANISATION,
    OURS,
    SISTER,
    THEIRS,
    Json,
    allow,
    deny,
    when,
)
from tests.connectors.s3.oracle.questions import Answer

YES, NO, DEPENDS = Answer.YES, Answer.NO, Answer.IT_DEPENDS
ROLE_ID = "AROAQQQQWWWWEEEERRRRT"


def arn_like(pattern: str, operator: str = "ArnLike") -> Json:
    return when(operator, "aws:PrincipalArn", pattern)


def both(*conditions: Json) -> Json:
    together: Json = {}
    for condition in conditions:
        for operator, keys in condition.items():
            together.setdefault(operator, {}).update(keys)
    return together


# what · the statements · is there anybody from outside, unsigned, of any account, from outside of account 222222222222?
CASES: list[tuple[str, list[Json], Answer, Answer, Answer, Answer]] = [
    ("everyone", [allow()], YES, YES, YES, YES),
    ("nobody", [], NO, NO, NO, NO),
    ("our account", [allow({"AWS": OURS})], NO, NO, NO, NO),
    ("an external account", [allow({"AWS": THEIRS})], YES, NO, NO, YES),
    ("all but one", [allow(None, NotPrincipal={"AWS": THEIRS})], YES, YES, YES, DEPENDS),
    ("denied to everyone but ours", [allow(), deny(None, NotPrincipal={"AWS": OURS})], NO, NO, NO, NO),
    ("denied to everyone but a role", [allow(), deny(None, NotPrincipal={"AWS": f"arn:aws:iam::{THEIRS}:role/app"})], DEPENDS, NO, NO, DEPENDS),
    ("denied to everyone but a role and its account", [allow(), deny(None, NotPrincipal={"AWS": [f"arn:aws:iam::{THEIRS}:role/app", THEIRS]})], YES, NO, NO, YES),
    ("a deleted principal", [allow({"AWS": ROLE_ID})], NO, NO, NO, NO),
    ("a session", [allow({"AWS": f"arn:aws:sts::{THEIRS}:assumed-role/app/me"})], YES, NO, NO, YES),
    ("a session of another name", [allow({"AWS": f"arn:aws:sts::{THEIRS}:assumed-role/app/me"}, when=when("StringLike", "aws:userid", "*:you"))], NO, NO, NO, NO),
    # Patterns over the caller's ARN
    ("every role of an account", [allow(when=arn_like(f"arn:aws:iam::{THEIRS}:role*"))], YES, NO, NO, YES),
    ("a text pattern reaches over the colon", [allow(when=arn_like(f"arn:aws:iam::{THEIRS}*", "StringLike"))], YES, NO, NO, YES),
    ("an account's ARN, part by part", [allow(when=arn_like(f"arn:aws:iam::{THEIRS}"))], NO, NO, NO, NO),
    ("an account's ARN and a star", [allow(when=arn_like(f"arn:aws:iam::{THEIRS}*"))], DEPENDS, NO, NO, DEPENDS),
    ("a colon less, as text", [allow(when=arn_like("arn:aws:iam:*:role/backup", "StringLike"))], YES, NO, YES, YES),
    ("a colon less, part by part", [allow(when=arn_like("arn:aws:iam:*:role/backup"))], DEPENDS, NO, DEPENDS, DEPENDS),
    ("two patterns together", [allow(when=both(arn_like("*backup*", "StringLike"), arn_like("arn:aws:iam::*:role/n*")))], YES, NO, YES, YES),
    ("two patterns that exclude each other", [allow(when=both(arn_like("*:role/a*", "StringLike"), arn_like("arn:aws:iam::*:user/*")))], YES, NO, YES, YES),
    ("two patterns that exclude each other in the name", [allow(when=both(arn_like("*:role/a*", "StringEquals"), arn_like("arn:aws:iam::*:role/*")))], NO, NO, NO, NO),
    ("an account and its ARN", [allow(when=both(when("StringLike", "aws:PrincipalAccount", "2222*"), arn_like("arn:aws:iam::1*:role/x")))], NO, NO, NO, NO),
    ("thirteen digits", [allow(when=when("StringLike", "aws:PrincipalAccount", "2222222222222*"))], NO, NO, NO, NO),
    ("one digit open", [allow(when=when("StringLike", "aws:PrincipalAccount", "22222222222?"))], YES, NO, YES, YES),
    ("a session's ARN is no caller's", [allow(when=arn_like("arn:aws:sts::*:assumed-role/*"))], NO, NO, NO, NO),
    ("a federated user's ARN is one", [allow(when=arn_like("arn:aws:sts::*:federated-user/x*"))], YES, NO, YES, YES),
    ("denied unless a colon less", [allow(), deny(when=arn_like("arn:aws:iam:*:role/backup", "StringNotLike"))], YES, NO, YES, YES),
    ("denied unless two patterns", [allow(), deny(when=arn_like("*:role/a*", "StringNotLike")), deny(when=arn_like("*b", "StringNotLike"))], YES, NO, YES, YES),
    ("denied unless one name and another", [allow(), deny(when=arn_like("*:role/a", "StringNotLike")), deny(when=arn_like("*:role/b", "StringNotLike"))], NO, NO, NO, NO),
    ("a role of our account by a variable", [allow(when=arn_like("arn:aws:iam::${aws:ResourceAccount}:role/*"))], NO, NO, NO, NO),
    ("an account's role in a session of a name", [allow({"AWS": THEIRS}, when=both(arn_like("*:role/ci-*", "StringLike"), when("StringLike", "aws:userid", "*:runner-*")))], YES, NO, NO, YES),
    # Keys that hang together
    ("a user's name and a role's ARN", [allow(when=both(when("StringEquals", "aws:username", "bob"), arn_like("arn:aws:iam::*:role/*")))], NO, NO, NO, NO),
    ("a name and an ARN of a user", [allow(when=both(when("StringLike", "aws:username", "b*"), arn_like("arn:aws:iam::*:user/path/*b")))], YES, NO, YES, YES),
    ("a user's name and another ARN", [allow(when=both(when("StringLike", "aws:username", "b*"), arn_like("arn:aws:iam::*:user/path/a*")))], YES, NO, YES, YES),
    ("a user's name and an ARN without a path", [allow(when=both(when("StringEquals", "aws:username", "bob"), arn_like("arn:aws:iam::*:user/ann")))], NO, NO, NO, NO),
    ("a colon in a user's name", [allow(when=when("StringLike", "aws:username", "b:*"))], NO, NO, NO, NO),
    ("a user's id with a session", [allow(when=when("StringLike", "aws:userid", "AIDA*:*"))], NO, NO, NO, NO),
    ("a role's id without a session", [allow(when=when("StringEquals", "aws:userid", ROLE_ID))], NO, NO, NO, NO),
    ("a role's id", [allow(when=when("StringLike", "aws:userid", f"{ROLE_ID}:*"))], YES, NO, NO, YES),
    ("a session of a name", [allow(when=when("StringLike", "aws:userid", "*:backup"))], YES, NO, YES, YES),
    ("an account's root by its id", [allow(when=when("StringEquals", "aws:userid", THEIRS))], YES, NO, NO, YES),
    ("a federated user's id", [allow(when=when("StringLike", "aws:userid", f"{THEIRS}:x*"))], YES, NO, NO, YES),
    ("a federated user's id in another account", [allow({"AWS": "333333333333"}, when=when("StringLike", "aws:userid", f"{THEIRS}:x*"))], NO, NO, NO, NO),
    ("a federated user", [allow(when=when("StringEquals", "aws:PrincipalType", "FederatedUser"))], YES, NO, YES, YES),
    ("MFA of a federated user", [allow(when={"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"aws:PrincipalType": "FederatedUser"}})], NO, NO, NO, NO),
    ("an unsigned caller by account", [allow(when=when("StringLike", "aws:PrincipalAccount", "anon*"))], YES, YES, NO, NO),
    ("an unsigned caller with an ARN", [allow(when=both(when("StringEquals", "aws:userid", "anonymous"), arn_like("*", "StringLike")))], NO, NO, NO, NO),
    ("an unsigned caller without one", [allow(when=both(when("StringEquals", "aws:userid", "anonymous"), arn_like("*", "StringNotLike")))], YES, YES, NO, NO),
    # Organisations
    ("our organisation", [allow(when=when("StringEquals", "aws:PrincipalOrgID", OUR_ORGANISATION))], NO, NO, NO, NO),
    ("our organisation, by a variable", [allow(when=when("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"))], NO, NO, NO, NO),
    ("another organisation", [allow(when=when("StringEquals", "aws:PrincipalOrgID", OTHER_ORGANISATION))], YES, NO, NO, YES),
    ("an account as a member of another organisation", [allow(when=both(when("StringEquals", "aws:PrincipalOrgID", OTHER_ORGANISATION), arn_like(f"arn:aws:iam::{THEIRS}*", "StringLike")))], YES, NO, NO, YES),
    ("organisations by a piece of their ids", [allow(when=when("StringLike", "aws:PrincipalOrgID", "*q7*"))], YES, NO, YES, YES),
    ("an organisation's id cannot be so short", [allow(when=when("StringLike", "aws:PrincipalOrgID", "o-?"))], NO, NO, NO, NO),
    ("an organisation and another's unit", [allow(when=both(when("StringEquals", "aws:PrincipalOrgID", OTHER_ORGANISATION), when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OUR_ORGANISATION}/*")))], NO, NO, NO, NO),
    ("a unit of any organisation", [allow(when=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/ou-ab12-11111111/*"))], YES, NO, YES, YES),
    ("several values without a quantifier", [allow(when=when("StringLike", "aws:PrincipalOrgPaths", f"{OTHER_ORGANISATION}/*"))], DEPENDS, NO, NO, DEPENDS),
    ("all values of a key that may be absent", [allow(when=when("ForAllValues:StringLike", "aws:PrincipalOrgPaths", f"{OUR_ORGANISATION}/*"))], YES, YES, YES, YES),
    ("any value of an absent key, negated", [allow({"AWS": THEIRS}, when=both(when("ForAnyValue:StringNotLike", "aws:PrincipalOrgPaths", "x"), when("Null", "aws:PrincipalOrgID", "true")))], NO, NO, NO, NO),
    ("our organisation, if the key is there", [allow(when=when("StringEqualsIfExists", "aws:PrincipalOrgID", OUR_ORGANISATION))], YES, YES, YES, YES),
    # Networks
    ("addresses as text", [allow(when=when("StringLike", "aws:SourceIp", "*.88.*"))], YES, YES, YES, YES),
    ("no address as text", [allow(when=when("StringLike", "aws:SourceIp", "300.*"))], NO, NO, NO, NO),
    ("addresses as text in a range", [allow(when=both(when("StringLike", "aws:SourceIp", "*.88.1"), when("IpAddress", "aws:SourceIp", "52.0.0.0/8")))], YES, YES, YES, YES),
    ("addresses as text outside a range", [allow(when=both(when("StringLike", "aws:SourceIp", "53.*"), when("IpAddress", "aws:SourceIp", "52.0.0.0/8")))], NO, NO, NO, NO),
    ("private addresses", [allow(when=when("IpAddress", "aws:SourceIp", "10.0.0.0/8", "192.168.0.0/16"))], NO, NO, NO, NO),
    ("an endpoint and an address", [allow(when=both(when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), when("StringLike", "aws:SourceVpce", "*")))], NO, NO, NO, NO),
    ("endpoints by a pattern", [allow(when=when("StringLike", "aws:SourceVpce", "vpce-1a*9f"))], YES, YES, YES, YES),
    ("no endpoint by a pattern", [allow(when=when("StringLike", "aws:SourceVpce", "vpc-1a*"))], NO, NO, NO, NO),
    ("a VPC and its ARN", [allow(when=both(when("StringEquals", "aws:SourceVpc", "vpc-1a2b3c4d"), when("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:*:*:vpc/vpc-9*")))], NO, NO, NO, NO),
    ("a VPC's ARN and its owner", [allow(when=both(when("StringEquals", "aws:VpceAccount", THEIRS), when("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:*:3*:vpc/*")))], NO, NO, NO, NO),
    ("our own endpoints", [allow(when=when("StringEquals", "aws:VpceAccount", OURS, SISTER))], NO, YES, NO, YES),
    ("another account's endpoints", [allow(when=when("StringEquals", "aws:VpceAccount", THEIRS))], YES, YES, YES, YES),
    # Access points
    ("our own access points", [allow(when=when("StringEquals", "s3:DataAccessPointAccount", OURS))], NO, NO, NO, NO),
    ("another account's access points", [allow(when=when("ArnLike", "s3:DataAccessPointArn", f"arn:aws:s3:*:{THEIRS}:accesspoint/*"))], YES, NO, YES, YES),
    ("access points by a pattern of accounts", [allow(when=when("StringLike", "s3:DataAccessPointAccount", "22*5"))], YES, NO, YES, YES),
    ("access points without TLS", [allow(when={"Bool": {"aws:SecureTransport": "false"}, "StringLike": {"s3:DataAccessPointAccount": "*"}})], NO, NO, NO, NO),
    # Nobody but a service
    ("a source whose ARN has four parts", [allow(when=when("ArnLike", "aws:SourceArn", "arn:aws:sqs:eu-west-1"))], NO, NO, NO, NO),
    # The call
    ("over before today", [allow(when=when("DateLessThan", "aws:CurrentTime", "2019-05-01T00:00:00Z"))], NO, NO, NO, NO),
    ("until a year", [allow(when=when("DateLessThan", "aws:CurrentTime", "2030"))], YES, YES, YES, YES),
    ("with a key and without it", [allow(), deny(when=when("Null", "aws:Referer", "true")), deny(when=when("Null", "aws:Referer", "false"))], NO, NO, NO, NO),
    ("an empty list of values", [allow(when=when("StringEquals", "aws:Referer"))], NO, NO, NO, NO),
    ("denied for an empty list of values", [allow(), deny(when=when("StringNotEquals", "aws:Referer"))], NO, NO, NO, NO),
]  # fmt: skip
