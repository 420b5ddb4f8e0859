"""One configuration a line: who has access, and whether AWS would call it public."""

import pytest

from cloudscan.facts import Access, Audience
from cloudscan_s3.access.access_paths import access_paths
from tests.connectors.s3.buckets import (
    ACCOUNT,
    ANYONE,
    DOMAIN,
    EXTERNAL,
    KEYS,
    NAMED,
    NOBODY,
    NOW,
    ORGANISATION,
    OTHER_ORGANISATION,
    OUR_CANONICAL,
    OUR_ORGANISATION,
    OURS,
    OWNER,
    SISTER,
    THEIR_CANONICAL,
    THEIRS,
    US,
    Json,
    allow,
    bucket,
    deny,
    paths,
    put,
    when,
    widest,
)

NOT_OURS = {"StringNotEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}}

ROLE = "AROAABCDEFGHIJKLMNOPQ"

MANY_KEYS = {"StringLike": {f"s3:key{number}": [f"a{number}*", "b", "c"] for number in range(8)}}

# the configuration · the statements · who has access · does AWS call it public?
CASES: list[tuple[str, list[Json], Audience, bool]] = [
    ("everyone", [allow()], ANYONE, True),
    ("everyone, written as AWS", [allow({"AWS": "*"})], ANYONE, True),
    ("everyone, in a list", [allow({"AWS": [OURS, "*"]})], ANYONE, True),
    ("no statement at all", [], NOBODY, False),
    ("our account by id", [allow({"AWS": OURS})], OWNER, False),
    ("our account by root", [allow({"AWS": f"arn:aws:iam::{OURS}:root"})], OWNER, False),
    ("a role of ours", [allow({"AWS": f"arn:aws:iam::{OURS}:role/app"})], NAMED, False),
    ("a sister account", [allow({"AWS": SISTER})], NAMED, False),
    ("an external account", [allow({"AWS": THEIRS})], EXTERNAL, False),
    ("an external role", [allow({"AWS": f"arn:aws:iam::{THEIRS}:role/app"})], EXTERNAL, False),
    ("an external session", [allow({"AWS": f"arn:aws:sts::{THEIRS}:assumed-role/app/me"})], EXTERNAL, False),
    ("a canonical user", [allow({"CanonicalUser": THEIR_CANONICAL})], EXTERNAL, False),
    ("our own canonical user", [allow({"CanonicalUser": OUR_CANONICAL})], NOBODY, False),
    ("a deleted principal", [allow({"AWS": "AROAABCDEFGHIJKLMNOPQ"})], NOBODY, False),
    ("a load balancer's account", [allow({"AWS": "127311923021"}, "s3:PutObject")], NAMED, False),
    ("a CloudFront identity", [allow({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"})], NAMED, False),
    ("everyone but one", [allow(None, NotPrincipal={"AWS": THEIRS})], ANYONE, True),
    ("denied to everyone but us", [allow(), deny(None, NotPrincipal={"AWS": OURS})], OWNER, True),
    ("a statement about another action", [allow(action="s3:CreateJob")], NOBODY, True),
    ("actions in another case", [allow(action="S3:getobject")], ANYONE, True),
    ("an action with wildcards", [allow(action="s3:Get*")], ANYONE, True),
    ("everything but one action", [allow(action=None, NotAction="s3:GetObject")], ANYONE, True),
    ("all but these objects", [allow(Resource=None, NotResource="arn:aws:s3:::b/secret/*")], ANYONE, True),
    ("another bucket's objects", [allow(Resource="arn:aws:s3:::other/*")], NOBODY, True),
    ("every bucket's pictures", [allow(Resource="arn:aws:s3:::*/*.jpg")], ANYONE, True),
    # Conditions that are about the call and not about the caller
    ("referer", [allow(when={"StringLike": {"aws:Referer": "https://example.com/*"}})], ANYONE, True),
    ("referer, key in capitals", [allow(when={"StringLike": {"AWS:REFERER": "https://example.com/*"}})], ANYONE, True),
    ("user agent", [allow(when={"StringEquals": {"aws:UserAgent": "secret"}})], ANYONE, True),
    ("TLS", [allow(when={"Bool": {"aws:SecureTransport": "true"}})], ANYONE, True),
    ("no TLS and TLS", [allow(when={"Bool": {"aws:SecureTransport": ["true", "false"]}})], ANYONE, True),
    ("a prefix, for listing", [allow(action="s3:ListBucket", when={"StringLike": {"s3:prefix": "pub/*"}})], ANYONE, True),
    ("a prefix, where it cannot occur", [allow(when={"StringLike": {"s3:prefix": "pub/*"}})], NOBODY, True),
    ("a tag on the object", [allow(when={"StringEquals": {"s3:ExistingObjectTag/public": "yes"}})], ANYONE, True),
    ("a window that has closed", [allow(when={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], NOBODY, True),
    ("a window that is open", [allow(when={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}})], ANYONE, True),
    ("until an epoch", [allow(when={"NumericLessThan": {"aws:EpochTime": "1500000000"}})], NOBODY, True),
    ("two free keys at once", [allow(when={"StringLike": {"aws:Referer": "*a*"}, "StringEquals": {"aws:UserAgent": "x"}})], ANYONE, True),
    # Conditions on the network
    ("a narrow range", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], NAMED, False),
    ("one address", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.7"}})], NAMED, False),
    ("the whole internet", [allow(when={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], ANYONE, True),
    ("the whole internet in halves", [allow(when={"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})], ANYONE, True),
    ("half the internet", [allow(when={"IpAddress": {"aws:SourceIp": "128.0.0.0/1"}})], ANYONE, True),
    ("one /8", [allow(when={"IpAddress": {"aws:SourceIp": "52.0.0.0/8"}})], NAMED, False),
    ("one /7", [allow(when={"IpAddress": {"aws:SourceIp": "52.0.0.0/7"}})], ANYONE, True),
    ("two /8", [allow(when={"IpAddress": {"aws:SourceIp": ["52.0.0.0/8", "54.0.0.0/8"]}})], ANYONE, False),
    ("all of IPv6 beside an office", [allow(when={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}})], ANYONE, True),
    ("a narrow IPv6 range", [allow(when={"IpAddress": {"aws:SourceIp": "2001:db8::/48"}})], NAMED, False),
    ("private addresses", [allow(when={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], NOBODY, False),
    ("anywhere but private addresses", [allow(when={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], ANYONE, True),
    ("anywhere but one office", [allow(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], ANYONE, True),
    ("an office, if the key is there", [allow(when={"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}})], ANYONE, True),
    ("a VPC endpoint", [allow(when={"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}})], NAMED, False),
    ("a VPC", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}})], NAMED, False),
    ("any VPC endpoint", [allow(when={"StringLike": {"aws:SourceVpce": "vpce-*"}})], ANYONE, True),
    ("any but one VPC", [allow(when={"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}})], ANYONE, True),
    ("both a VPC and an address", [allow(when={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "StringLike": {"aws:SourceVpc": "*"}})], NOBODY, True),
    # Conditions on the caller
    ("our organisation", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ORGANISATION, False),
    ("another organisation", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}})], DOMAIN, False),
    ("any organisation", [allow(when={"StringLike": {"aws:PrincipalOrgID": "o-*"}})], ACCOUNT, True),
    ("any organisation but ours", [allow(when=NOT_OURS)], ANYONE, True),
    ("our organisation, if the key is there", [allow(when={"StringEqualsIfExists": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ANYONE, True),
    ("all values of an absent organisation", [allow(when={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}})], ANYONE, True),
    ("our organisation's tree", [allow(when={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OUR_ORGANISATION}/*"}})], ORGANISATION, False),
    ("any member of an organisation", [allow(when={"Null": {"aws:PrincipalOrgID": "false"}})], ACCOUNT, True),
    ("no member of an organisation", [allow(when={"Null": {"aws:PrincipalOrgID": "true"}})], ANYONE, True),
    ("our account by condition", [allow(when={"StringEquals": {"aws:PrincipalAccount": OURS}})], OWNER, False),
    ("an external account by condition", [allow(when={"StringEquals": {"aws:PrincipalAccount": THEIRS}})], EXTERNAL, False),
    ("not our account: unsigned requests carry a value", [allow(when={"StringNotEquals": {"aws:PrincipalAccount": OURS}})], ANYONE, True),
    ("accounts that begin with 1", [allow(when={"StringLike": {"aws:PrincipalAccount": "1*"}})], ACCOUNT, True),
    ("a role by condition", [allow(when={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{THEIRS}:role/app"}})], EXTERNAL, False),
    ("roles of one account", [allow(when={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{THEIRS}:role/*"}})], EXTERNAL, True),
    ("a role's name in any account", [allow(when={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}})], ACCOUNT, True),
    ("a role's name, loosely", [allow(when={"StringLike": {"aws:PrincipalArn": "*Admin*"}})], ACCOUNT, True),
    ("a user name, which anyone can give", [allow(when={"StringEquals": {"aws:username": "auditor"}})], ACCOUNT, True),
    ("a tag, which anyone can set", [allow(when={"StringEquals": {"aws:PrincipalTag/team": "data"}})], ACCOUNT, True),
    ("a tag that repeats our account", [allow(when={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalTag/home}"}})], ACCOUNT, True),
    ("the bucket's own account", [allow(when={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}})], NOBODY, True),
    ("MFA, which anyone can have", [allow(when={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], ACCOUNT, True),
    ("MFA, if the key is there", [allow(when={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})], ANYONE, True),
    ("signed callers", [allow(when={"StringNotEquals": {"aws:PrincipalType": "Anonymous"}})], ACCOUNT, True),
    ("no id: unsigned requests carry one", [allow(when={"Null": {"aws:userid": "true"}})], NOBODY, True),
    ("no id: a service's call carries one", [allow(when={"Null": {"aws:userid": "true"}}), deny(None, NotPrincipal={"Service": "cloudtrail.amazonaws.com"})], NOBODY, True),
    ("an id of any value", [allow(when={"Null": {"aws:userid": "false"}})], ANYONE, True),
    ("the id of unsigned requests", [allow(when={"StringEquals": {"aws:userid": "anonymous"}})], ANYONE, False),
    ("no type of caller", [allow({"Service": "cloudtrail.amazonaws.com"}, when={"Null": {"aws:PrincipalType": "true"}})], NOBODY, False),
    ("a role's id", [allow(when={"StringLike": {"aws:userid": "AROAABCDEFGHIJKLMNOPQ:*"}})], NAMED, True),
    ("a session's name, which anyone can give", [allow(when={"StringLike": {"aws:userid": "*:backup"}})], ACCOUNT, True),
    ("two conditions, one fixed", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}, "StringLike": {"aws:Referer": "*"}})], ORGANISATION, False),
    ("a fixed value and a wildcard", [allow(when={"StringLike": {"aws:PrincipalOrgID": [OUR_ORGANISATION, "*"]}})], ACCOUNT, True),
    # Services
    ("a service for anyone", [allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject")], NAMED, False),
    ("a service for us", [allow({"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject", when={"StringEquals": {"aws:SourceAccount": OURS}})], NAMED, False),
    ("a service for an external account", [allow({"Service": "delivery.logs.amazonaws.com"}, "s3:PutObject", when={"StringEquals": {"aws:SourceAccount": THEIRS}})], EXTERNAL, False),
    ("everyone, for one source", [allow(action="s3:PutObject", when={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{OURS}:topic"}})], NAMED, False),
    # Federated
    ("a public identity provider", [allow({"Federated": "cognito-identity.amazonaws.com"})], ACCOUNT, False),
    ("a pool of ours", [allow({"Federated": "cognito-identity.amazonaws.com"}, when={"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu:1"}})], NAMED, False),
    ("an external SAML provider", [allow({"Federated": f"arn:aws:iam::{THEIRS}:saml-provider/x"})], EXTERNAL, False),
    # Denials
    ("denied to all", [allow(), deny()], NOBODY, True),
    ("denied without TLS", [allow(), deny(when={"Bool": {"aws:SecureTransport": "false"}})], ANYONE, True),
    ("denied outside our organisation", [allow(), deny(when=NOT_OURS)], ORGANISATION, True),
    ("denied outside an office", [allow(), deny(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], NAMED, True),
    ("denied outside a VPC endpoint", [allow(), deny(when={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})], NAMED, True),
    ("denied by referer", [allow(), deny(when={"StringNotLike": {"aws:Referer": "https://example.com/*"}})], ANYONE, True),
    ("denied for other actions", [allow(), deny(action="s3:PutObject")], ANYONE, True),
    ("denied below one folder", [allow(), deny(Resource="arn:aws:s3:::b/secret/*")], ANYONE, True),
    ("denied except below one folder", [allow(), deny(Resource=None, NotResource="arn:aws:s3:::b/open/*")], ANYONE, True),
    ("denied with and without a referer", [allow(), deny(when={"Null": {"aws:Referer": "true"}}), deny(when={"Null": {"aws:Referer": "false"}})], NOBODY, True),
    ("denied unless through a service, which anyone can use", [allow(), deny(when={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:ViaAWSService": "false"}})], ACCOUNT, True),
    ("denied to callers that are not services: unsigned requests carry no such key", [allow(), deny(when={"Bool": {"aws:PrincipalIsAWSService": "false"}})], ANYONE, True),
    ("an organisation compared with itself", [allow(when={"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}})], ACCOUNT, True),
    ("an empty condition", [allow(when={})], ANYONE, True),
    ("a condition without values", [allow(when={"StringEquals": {"aws:Referer": []}})], NOBODY, True),
    ("objects granted on the bucket's own ARN", [allow(Resource=KEYS)], NOBODY, True),
    # Delegation to access points
    ("our own access points", [allow(action="s3:*", when={"StringEquals": {"s3:DataAccessPointAccount": OURS}})], NOBODY, False),
    ("an external account's access points", [allow(when={"StringEquals": {"s3:DataAccessPointAccount": THEIRS}})], EXTERNAL, False),
    ("an external account's, by ARN", [allow(when={"ArnLike": {"s3:DataAccessPointArn": f"arn:aws:s3:*:{THEIRS}:accesspoint/*"}})], EXTERNAL, False),
    ("anyone's access points", [allow(when={"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/*"}})], ACCOUNT, True),
    # A variable or a pattern in Resource
    ("a Deny on single objects that happen to be our examples", [allow(Resource="arn:aws:s3:::b/p/*"), deny(Resource=[f"arn:aws:s3:::b/p/{key}" for key in ("any-object", "any-object-1", "x", "")])], ANYONE, True),
    ("a folder by the caller's tag", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*")], ACCOUNT, True),
    ("a folder by the caller's tag, which a condition fixes", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*", when=when("StringEquals", "aws:PrincipalTag/team", "data"))], ACCOUNT, True),
    ("only a user whose tag is the user's own name, whom nobody can be unsigned", [allow(when={"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}})], ACCOUNT, True),
    ("a folder by the caller's tag, fixed beside a variable", [allow(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}/*", when={"StringLike": {"aws:PrincipalTag/team": ["d*", "${aws:username}"], "aws:PrincipalType": "AssumedRole"}})], ACCOUNT, True),
    ("a bucket by the caller's tag", [allow(Resource="arn:aws:s3:::${aws:PrincipalTag/bucket}/*")], ACCOUNT, True),
    ("a folder by the user agent", [allow(Resource="arn:aws:s3:::b/${aws:UserAgent}/*")], ANYONE, True),
    ("a folder by the identity of a pool", [allow(Resource="arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*")], ACCOUNT, True),
    ("pictures, denied outside one folder", [allow(Resource="arn:aws:s3:::b/*.jpg"), deny(Resource=None, NotResource="arn:aws:s3:::b/public/*")], ANYONE, True),
    ("an action that only copies tags", [allow(action="s3:ReplicateTags")], ANYONE, True),
    # Values that fit two conditions at once, large numbers, short dates
    ("two patterns of a prefix", [allow(action="s3:ListBucket", when=when("StringLike", "s3:prefix", "home/*")), deny(when=when("StringNotLike", "s3:prefix", "*/public/"))], ANYONE, True),
    ("a prefix by the caller's tag, which a condition fixes", [allow(action="s3:ListBucket", when={"StringLike": {"s3:prefix": "home/${aws:PrincipalTag/team}/*"}, "StringEquals": {"aws:PrincipalTag/team": "data"}})], ACCOUNT, True),
    ("a referer that repeats the user agent", [allow(when={"StringEquals": {"aws:UserAgent": "ua", "aws:Referer": "${aws:UserAgent}"}})], ANYONE, True),
    ("two patterns of a referer", [allow(when={"StringLike": {"aws:Referer": "https://*"}, "StringLikeIfExists": {"aws:Referer": "*.example.com/"}})], ANYONE, True),
    ("a number of seven digits", [allow(when=when("NumericLessThan", "s3:x-amz-decoded-content-length", "1048577"))], ANYONE, True),
    ("until a month", [allow(when=when("DateLessThan", "aws:CurrentTime", "2030-12"))], ANYONE, True),
    ("until a year", [allow(when=when("DateLessThan", "aws:CurrentTime", "2030"))], ANYONE, True),
    ("since a month", [allow(when=when("DateGreaterThan", "aws:CurrentTime", "2026-01"))], ANYONE, True),
    # Keys that only a signed request carries
    ("denied unless signed in the new way", [allow(), deny(when=when("StringNotEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"))], ACCOUNT, True),
    ("signed in a header", [allow(when=when("StringEquals", "s3:authType", "REST-HEADER"))], ACCOUNT, True),
    ("a fresh signature", [allow(when=when("NumericLessThan", "s3:signatureAge", "600000"))], ACCOUNT, True),
    ("a function, of anyone's", [allow(when=when("ArnLike", "lambda:SourceFunctionArn", "arn:aws:lambda:*:*:function:f"))], ACCOUNT, True),
    # Networks
    ("an address as text", [allow(when=when("StringLike", "aws:SourceIp", "203.0.113.*"))], NAMED, True),
    ("a tenth of all addresses as text", [allow(when=when("StringLike", "aws:SourceIp", "5*"))], ANYONE, True),
    ("the last quarter of the internet", [allow(when={"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/2", "::/0"]}, "Null": {"aws:SourceIp": "false"}})], ANYONE, True),
    ("a range within a range", [allow(when=when("IpAddress", "aws:SourceIp", "52.0.0.0/8", "52.95.0.0/16"))], NAMED, False),
    ("addresses in a VPC of one's own", [allow(when=when("IpAddress", "aws:VpcSourceIp", "172.31.0.0/16"))], ANYONE, True),
    ("denied outside addresses in a VPC of one's own", [allow(), deny(when=when("NotIpAddress", "aws:VpcSourceIp", "192.168.0.0/24"))], ANYONE, True),
    ("addresses in one VPC", [allow(when={"IpAddress": {"aws:VpcSourceIp": "172.31.0.0/16"}, "StringEquals": {"aws:SourceVpc": "vpc-1a2b"}})], NAMED, False),
    ("any VPC of a region", [allow(when=when("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:eu-west-1:*:vpc/*"))], ANYONE, True),
    ("any VPC of one account", [allow(when=when("ArnLike", "aws:SourceVpcArn", f"arn:aws:ec2:*:{THEIRS}:vpc/*"))], EXTERNAL, True),
    ("one VPC of one account", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b", "aws:VpceAccount": THEIRS}})], NAMED, False),
    ("one VPC by endpoints of a pattern", [allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1a2b"}, "StringLike": {"aws:SourceVpce": "vpce-2*"}})], NAMED, False),
    ("endpoints of a pattern, of one account", [allow(when={"StringEquals": {"aws:VpceAccount": THEIRS}, "StringLike": {"aws:SourceVpce": "vpce-2*"}})], EXTERNAL, True),
    ("an office, for a role of any account", [allow(when={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/X"}})], NAMED, False),
    # Members of an organisation or an account, in every shape
    ("our organisation's role of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANISATION}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Deploy"}})], ORGANISATION, False),
    ("another organisation's role of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Deploy"}})], DOMAIN, False),
    ("another organisation's user of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION, "aws:username": "alice"}})], DOMAIN, False),
    ("another organisation's session of a name", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "StringLike": {"aws:userid": "*:alice"}})], DOMAIN, False),
    ("another organisation's root users", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION, "aws:PrincipalType": "Account"}})], DOMAIN, False),
    ("another organisation's accounts that begin with 2", [allow(when={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANISATION}, "StringLike": {"aws:PrincipalAccount": "2*"}})], DOMAIN, False),
    ("an external role's session of a name", [allow({"AWS": f"arn:aws:iam::{THEIRS}:role/app"}, when=when("StringLike", "aws:userid", "*:backup"))], EXTERNAL, False),
    ("an organisation in capitals, case ignored", [allow(when=when("StringEqualsIgnoreCase", "aws:PrincipalOrgID", OUR_ORGANISATION.upper()))], ORGANISATION, False),
    ("denied outside the bucket's organisation", [allow(), deny(when=when("StringNotEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"))], ORGANISATION, True),
    ("a unit of any organisation: its id is unique in one only", [allow(when=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/ou-ab12-11111111/*"))], ACCOUNT, True),
    ("an external account, if of another organisation", [allow({"AWS": THEIRS}, when=when("StringEquals", "aws:PrincipalOrgID", OTHER_ORGANISATION))], EXTERNAL, False),
    ("an external account's user of a name", [allow({"AWS": THEIRS}, when=when("StringEquals", "aws:username", "alice"))], EXTERNAL, False),
    ("an external account's role of a name", [allow({"AWS": THEIRS}, when=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/Admin*"))], EXTERNAL, False),
    ("an external account's role by id", [allow({"AWS": THEIRS}, when=when("StringLike", "aws:userid", f"{ROLE}:*"))], EXTERNAL, False),
    ("an external account's session of a name", [allow({"AWS": THEIRS}, when=when("StringLike", "aws:userid", "*:backup"))], EXTERNAL, False),
    ("accounts that end with 2222", [allow(when=when("StringLike", "aws:PrincipalAccount", "*2222"))], ACCOUNT, True),
    ("a role of the caller's own account", [allow(when=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:PrincipalAccount}:role/Admin"))], ACCOUNT, True),
    # Services
    ("a service for an external account's bucket", [put("s3.amazonaws.com", when={"StringEquals": {"aws:SourceAccount": THEIRS}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::theirs"}})], EXTERNAL, False),
    ("a service for any bucket of ours", [put("s3.amazonaws.com", when={"StringEquals": {"aws:SourceAccount": OURS}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})], NAMED, False),
    ("a service for our organisation's trails", [put("cloudtrail.amazonaws.com", when={"StringEquals": {"aws:SourceOrgID": OUR_ORGANISATION}, "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}})], NAMED, False),
    ("a service for another organisation's trails", [put("cloudtrail.amazonaws.com", when={"StringEquals": {"aws:SourceOrgID": OTHER_ORGANISATION}, "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}})], EXTERNAL, False),
    ("services by a pattern of names", [allow(when=when("StringLike", "aws:PrincipalServiceName", "delivery.*"))], NAMED, True),
    ("services by a list of names", [allow(when=when("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "cloudtrail.amazonaws.com"))], NAMED, True),
    # Denials that only work together, or beside many others
    ("denied with TLS and without", [allow(), deny(when=when("Bool", "aws:SecureTransport", "true", "false"))], NOBODY, True),
    ("denied because TLS is known of every call", [allow(), deny(when=when("Null", "aws:SecureTransport", "false"))], NOBODY, True),
    ("denied to all, beside a denial with many keys", [allow(), deny(), deny(when=MANY_KEYS)], NOBODY, True),
    ("denied with and without a key, beside many", [allow(), deny(when=MANY_KEYS), deny(when=when("Null", "s3:key0", "false")), deny(when=when("Null", "s3:key0", "true"))], NOBODY, True),
    # Access points of others
    ("denied but for an external account's access points", [allow(), deny(when=when("StringNotEquals", "s3:DataAccessPointAccount", THEIRS))], EXTERNAL, True),
    ("access points of any VPC", [allow(when=when("StringEquals", "s3:AccessPointNetworkOrigin", "VPC"))], ACCOUNT, True),
    ("denied but for access points of any VPC", [allow(), deny(when=when("StringNotEquals", "s3:AccessPointNetworkOrigin", "VPC"))], ACCOUNT, True),
    ("an external account through its access points", [allow({"AWS": THEIRS}, when=when("StringEquals", "s3:DataAccessPointAccount", THEIRS))], EXTERNAL, False),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "audience", "public"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_policy(statements: list[Json], audience: Audience, public: bool) -> None:
    """Who effectively has access, and AWS's own verdict: two answers, both kept."""
    result = access_paths(bucket(*statements), US, NOW)

    assert (min(widest(result.open), ANYONE), result.policy_public) == (audience, public)
    assert all(path.witness.certain for path in result.open if path.effective)
    assert all(path.blocked_by for path in result.open if path.effective is False)


def test_listing_makes_objects_findable() -> None:
    """A caller who can list the names needs no link."""
    opened = paths(allow(action=["s3:GetObject", "s3:ListBucket"]))

    assert {path.access: path.audience for path in opened} == dict.fromkeys(
        (Access.LIST, Access.READ), Audience.ANYONE_DISCOVERABLE
    )


def test_a_tag_that_must_be_the_users_own_name_opens_nothing_to_unsigned_requests() -> None:
    """Who does not sign has neither a tag nor a name: no path, not even one that nobody can be sure of."""
    own_name = allow(when=when("StringEquals", "aws:PrincipalTag/team", "${aws:username}"))

    through_it = [path for path in paths(allow(), own_name) if path.statement.number == 2]

    assert "anonymous" not in {path.witness.request.caller.kind for path in through_it}
