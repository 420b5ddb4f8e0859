"""An item of AWS Config as the answer that S3's own API would have given: from there on there is one meaning.

What an item does not say raises `KeyError`: then it is asked for, or stays unknown. Nothing is made up: a key that is
left out counts as "none configured" only where Config's guide or recorded items leave it out for that reason.
Sources: Developer Guide, "Supported Resource Types", Amazon S3 bucket attributes; items as moto and Cloud Custodian
(`c7n/resources/s3.py`, ConfigS3) have them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cloudscan_s3.bulk.items import Item, unwrapped
from cloudscan_s3.questions import (
    BUCKET_ACL,
    BUCKET_BLOCK,
    BUCKET_POLICY,
    ENCRYPTION,
    LOGGING,
    REPLICATION,
    TAGS,
    WEBSITE,
    AwsQuestion,
)

Answer = Mapping[str, Any]

_GROUPS: Final[Mapping[str, str]] = {
    "allusers": "http://acs.amazonaws.com/groups/global/AllUsers",
    "authenticatedusers": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    "logdelivery": "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
_PERMISSIONS: Final[Mapping[str, str]] = {
    "fullcontrol": "FULL_CONTROL",
    "read": "READ",
    "write": "WRITE",
    "readacp": "READ_ACP",
    "writeacp": "WRITE_ACP",
}
_SWITCHES: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def answer_about_bucket(question: AwsQuestion, item: Item) -> Answer | None:
    """What S3 would answer to a question about a bucket; None where nothing is configured.

    Raises `KeyError` where the item does not say, or makes no sense.
    """
    try:
        return _ANSWERS[question.name](item)
    except (TypeError, ValueError, AttributeError) as error:
        raise KeyError(question.name) from error


def block_of_account(item: Item) -> Answer | None:
    """What GetPublicAccessBlock of an account would answer."""
    return _block(item.configuration)


def block_of_point(item: Item) -> Answer | None:
    """The switches of an access point or multi-region access point."""
    given = _found(item.configuration, "PublicAccessBlockConfiguration")
    return _block(given) if isinstance(given, Mapping) else None


def text_of(item: Item, *names: str) -> str:
    """A text of the configuration, whatever case its name is written in; empty where there is none."""
    for name in names:
        value = _found(item.configuration, name)
        if isinstance(value, str | int):
            return str(value)
    return ""


def parts_of(item: Item, name: str) -> Sequence[Mapping[str, Any]]:
    """The entries of a list in the configuration."""
    value = unwrapped(_found(item.configuration, name))
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def vpc_of(item: Item) -> str:
    """The only VPC that an access point serves; empty: the internet."""
    inner = unwrapped(_found(item.configuration, "VpcConfiguration"))
    return str(_found(inner, "VpcId") or "") if isinstance(inner, Mapping) else ""


def owner_of(item: Item) -> str:
    """The canonical id of a bucket's owner, as its access control list names it; empty where it does not."""
    listed = item.supplementary.get("AccessControlList")
    owner = listed.get("owner") if isinstance(listed, Mapping) else None
    return str(owner.get("id") or "") if isinstance(owner, Mapping) else ""


def grants_beyond_owner(item: Item) -> bool:
    """Whether a bucket's access control list has an entry that is not its owner's; True where that is not known."""
    try:
        answer = _acl(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        return True
    owner = answer["Owner"]["ID"]
    return any(entry["Grantee"].get("ID") != owner for entry in answer["Grants"])


def _policy(item: Item) -> Answer | None:
    given = item.supplementary["BucketPolicy"]
    text = given["policyText"] if isinstance(given, Mapping) else given
    if text is None:
        return None
    if not text:
        raise KeyError("policyText")
    return {"Policy": text if isinstance(text, str) else json.dumps(text)}


def _acl(item: Item) -> Answer:
    given = item.supplementary["AccessControlList"]
    owner = str((given.get("owner") or {}).get("id") or "")
    grants = [_entry(one) for one in given.get("grantList") or given.get("grantSet") or ()]
    if not owner:
        raise KeyError("AccessControlList")
    return {"Owner": {"ID": owner}, "Grants": grants}


def _entry(given: Mapping[str, Any]) -> Mapping[str, Any]:
    grantee, word = given["grantee"], str(given["permission"])
    permission = _PERMISSIONS.get(word.replace("_", "").lower(), word)
    if isinstance(grantee, str):
        uri = _GROUPS.get(grantee.lower(), grantee)
        return {"Grantee": {"URI": uri}, "Permission": permission}
    named = {
        "ID": str(grantee.get("id") or ""),
        "URI": str(grantee.get("uri") or ""),
        "EmailAddress": str(grantee.get("emailAddress") or ""),
        "DisplayName": str(grantee.get("displayName") or ""),
    }
    return {"Grantee": {name: text for name, text in named.items() if text}, "Permission": permission}


def _bucket_block(item: Item) -> Answer | None:
    given = item.supplementary.get("PublicAccessBlockConfiguration")
    return None if given is None else _block(given)


def _block(given: Mapping[str, Any]) -> Answer:
    """The four switches, in camel case of a bucket's item or in Pascal case of an access point's."""
    return {"PublicAccessBlockConfiguration": {name: _switch(_found(given, name)) for name in _SWITCHES}}


def _switch(value: object) -> object:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _found(given: Mapping[str, Any], name: str) -> Any:
    return given.get(name, given.get(name[0].lower() + name[1:]))


def _tags(item: Item) -> Answer | None:
    sets = item.supplementary.get("BucketTaggingConfiguration")
    tags: Mapping[str, Any] = item.tags or {}
    if isinstance(sets, Mapping):
        for one in sets.get("tagSets") or ():
            tags = {**tags, **(one.get("tags") or {})}
    elif item.tags is None and sets is not None:
        raise KeyError("BucketTaggingConfiguration")
    return {"TagSet": [{"Key": str(key), "Value": str(text or "")} for key, text in tags.items()]} if tags else None


def _website(item: Item) -> Answer | None:
    given = item.supplementary.get("BucketWebsiteConfiguration")
    if given is None:
        return None
    index, redirect = given.get("indexDocumentSuffix"), given.get("redirectAllRequestsTo")
    if not index and not redirect:
        return None if not any(given.values()) else {"WebsiteConfiguration": given}
    return {"IndexDocument": {"Suffix": index}} if index else {"RedirectAllRequestsTo": redirect}


def _logging(item: Item) -> Answer:
    given = item.supplementary.get("BucketLoggingConfiguration") or {}
    target = given.get("destinationBucketName")
    return {"LoggingEnabled": {"TargetBucket": target}} if target else {}


def _encryption(item: Item) -> Answer:
    rules = item.supplementary["ServerSideEncryptionConfiguration"]["rules"]
    return {"ServerSideEncryptionConfiguration": {"Rules": [_default_key(one) for one in rules]}}


def _default_key(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    default = rule.get("applyServerSideEncryptionByDefault") or {}
    algorithm = str(default.get("sseAlgorithm") or "")
    key = default.get("kmsMasterKeyID") or default.get("kmsMasterKeyId")
    return {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}
    }


def _replication(item: Item) -> Answer | None:
    given = item.supplementary.get("BucketReplicationConfiguration")
    if given is None or not given.get("rules"):
        return None
    return {"ReplicationConfiguration": {"Rules": list(_rules(given["rules"]))}}


def _rules(given: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """By the rule's id, or as a list."""
    pairs = given.items() if isinstance(given, Mapping) else ((str(one.get("id") or ""), one) for one in given)
    for name, rule in pairs:
        destination = rule.get("destinationConfig") or rule["destination"]
        translation = destination.get("accessControlTranslation") or {}
        target = {
            "Bucket": destination.get("bucketARN") or destination["bucket"],
            "Account": destination.get("account") or "",
            "AccessControlTranslation": {"Owner": translation.get("owner") or ""},
        }
        yield {"ID": name, "Status": rule["status"], "Destination": target}


_ANSWERS: Final[Mapping[str, Callable[[Item], Answer | None]]] = {
    BUCKET_POLICY.name: _policy,
    BUCKET_ACL.name: _acl,
    BUCKET_BLOCK.name: _bucket_block,
    TAGS.name: _tags,
    WEBSITE.name: _website,
    LOGGING.name: _logging,
    ENCRYPTION.name: _encryption,
    REPLICATION.name: _replication,
}
