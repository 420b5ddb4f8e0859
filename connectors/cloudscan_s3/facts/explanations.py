"""Why an access path is open, sentence by sentence, in English and in Japanese.

Every sentence is either about something in the configuration (and says where it is) or about what that means. Names and
values that others wrote are quoted as they are; whatever prints them escapes them.
"""

from collections.abc import Mapping, Sequence

from cloudscan.facts import Via
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.bucket import Bucket, Encryption
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.policy_status import pins

Pair = tuple[str, str]
"""A sentence, or part of one, in English and in Japanese."""

_NAMES_SHOWN = 5

_WHO: Mapping[str, Pair] = {
    "anyone": ("Anyone on the internet, without an AWS account,", "インターネット上の誰でも（AWSアカウント不要）"),
    "any_account": ("Anyone with any AWS account", "AWSアカウントを持つ人なら誰でも"),
    "organisation": ("Every account of the organisation {names}", "組織 {names} のすべてのアカウント"),
    "account": ("AWS account {names}", "AWSアカウント {names}"),
    "principal": ("{names}", "{names}"),
    "canonical": ("The AWS account behind the canonical user {names}", "正規ユーザー {names} のAWSアカウント"),
    "unique_id": ("The principal with the IAM id {names}", "IAMの一意ID {names} を持つ者"),
    "federated": ("Anyone who signs in through {names}", "{names} でサインインした人"),
    "service": ("The AWS service {names}", "AWSサービス {names}"),
    "network": ("Anyone who connects from the network {names}", "ネットワーク {names} から接続する人なら誰でも"),
    "access_point_account": (
        "Any caller that account {names} admits through its access points",
        "アカウント {names} が自分のアクセスポイントで許可した相手",
    ),
}
_CONFUSED_DEPUTY: Pair = (
    "The AWS service {names}, on behalf of any customer of AWS,",
    "AWSサービス {names}（任意のAWS利用者の代理として動作可能）",
)
_WHAT: Mapping[Capability, Pair] = {
    Capability.OBJECTS: ("read objects", "オブジェクトを読み取れます"),
    Capability.KEYS: ("list the names of all objects", "オブジェクト名を一覧できます"),
    Capability.WRITING: ("write or delete objects", "オブジェクトを書き込みまたは削除できます"),
    Capability.ACCESS_RULES: ("change who has access", "アクセス権そのものを変更できます"),
    Capability.SETTINGS: ("read the bucket's settings", "バケットの設定を読み取れます"),
    Capability.ACL: ("read the access control list", "アクセスコントロールリスト（ACL）を読み取れます"),
    Capability.LABELS: ("read tags and attributes of objects", "オブジェクトのタグと属性を読み取れます"),
}
_CONDITIONS: Mapping[str, Pair] = {
    "absent, all values": (
        "Its condition {condition} is met by a request without that key: ForAllValues is true of an absent key.",
        "条件 {condition} は、キーを含まない要求でも満たされます（ForAllValuesは空なら真です）。",
    ),
    "absent, if exists": (
        "Its condition {condition} is met by a request without that key: …IfExists does not require it.",
        "条件 {condition} は、キーを含まない要求でも満たされます（IfExistsのため）。",
    ),
    "absent, negated": (
        "Its condition {condition} is met by a request without that key: a negated operator is true of an absent key.",
        "条件 {condition} は、キーを含まない要求でも満たされます（否定演算子のため）。",
    ),
    "fixed": (
        "Its condition {condition} limits this to fixed values.",
        "条件 {condition} が対象を固定値に限定しています。",
    ),
    "network": (
        "Its condition {condition} is too broad, or negated, so that it does not amount to a fixed network.",
        "条件 {condition} は範囲が広すぎるか否定形であり、固定されたネットワークとはいえません。",
    ),
    "caller": (
        "Its condition {condition} matches such a caller; AWS does not count it as a fixed value.",
        "条件 {condition} はこの呼び出し元に一致します。AWSの定義では固定値に当たりません。",
    ),
    "opens later": (
        "Its condition {condition} is not met yet: the path opens by itself on {not_before}.",
        "条件 {condition} はまだ満たされていません。{not_before} に自動的に開きます。",
    ),
    "open now": (
        "Its condition {condition} is currently met.",
        "条件 {condition} は現時点で満たされています。",
    ),
    "free choice": (
        "Its condition {condition}: callers choose that value themselves, so it keeps no one out.",
        "条件 {condition}: 値は呼び出し側が自由に選べるため、誰も制限しません。",
    ),
}


def chain(path: AccessPath, bucket: Bucket) -> Mapping[str, Sequence[str]]:
    """The reasons for one path, from what is true to what it rests on: sentences by language ("en", "ja")."""
    pairs = [
        _claim(path),
        _acl_entry(path.statement) if path.via is Via.ACL else _statement(path),
        *_conditions(path),
        *kms(path, bucket),
        *_denials(path),
        *_delegation(path),
        _block(path),
        *_aws_definition(path),
        _example(path),
    ]
    return {"en": [english for english, _ in pairs], "ja": [japanese for _, japanese in pairs]}


def kms(path: AccessPath, bucket: Bucket) -> Sequence[Pair]:
    """What the bucket's default key means for external callers who may read. Source: User Guide, "Using SSE-KMS"."""
    encryption = bucket.encryption
    if not isinstance(encryption, Encryption) or not encryption.algorithm.startswith("aws:kms"):
        return ()
    if path.capability is not Capability.OBJECTS or path.kind == "service":
        return ()
    key = encryption.key or "aws/s3"
    unsigned = path.witness.request.caller.kind == "anonymous"
    if unsigned or key.endswith("aws/s3"):
        return (
            (
                f"New objects are encrypted under the KMS key {key} by default, which such a caller cannot use: "
                "only objects stored in another way can be read.",
                f"既定では新しいオブジェクトはKMSキー {key} で暗号化され、この呼び出し元は復号できません。"
                "読み取れるのは、それ以外の方法で保存されたオブジェクトだけです。",
            ),
        )
    return (
        (
            f"New objects are encrypted under the KMS key {key} by default: to read them, the caller also needs the "
            "key policy's permission, which was not checked.",
            f"既定では新しいオブジェクトはKMSキー {key} で暗号化されます。読み取りにはキーポリシーの許可も必要ですが、"
            "そこまでは確認していません。",
        ),
    )


def example(path: AccessPath) -> str:
    """One concrete request that gets through, as text."""
    request = path.witness.request
    signed = "unsigned" if request.caller.kind == "anonymous" else f"signed by {_signer(path)}"
    compared = {condition.key for condition in path.statement.conditions}
    keys = [
        f"{key}={', '.join(values)}"
        for key, values in request.context.items()
        if key in compared and not key.startswith("aws:principal")
    ]
    return f"{request.action.name} {request.resource}, {signed}" + (f", with {'; '.join(keys)}" if keys else "")


def _who(path: AccessPath) -> Pair:
    english, japanese = _WHO[path.kind]
    more = len(path.names) - _NAMES_SHOWN
    more_english, more_japanese = (f" and {more} more", f" ほか{more}件") if more > 0 else ("", "")
    if path.kind == "service" and path.confused_deputy:
        english, japanese = _CONFUSED_DEPUTY
    names = ", ".join(path.names[:_NAMES_SHOWN])
    return english.format(names=names + more_english), japanese.format(names=names + more_japanese)


def _claim(path: AccessPath) -> Pair:
    who_english, who_japanese = _who(path)
    english, japanese = _WHAT[path.capability]
    if path.effective is False:
        return (
            f"{who_english} could {english} if nothing blocked it.",
            f"遮断している設定がなければ、{who_japanese}が{japanese}。",
        )
    if path.effective is None:
        return (
            f"{who_english} can {english}, unless a setting that could not be read prevents it.",
            f"読み取れなかった設定が遮断していない限り、{who_japanese}が{japanese}。",
        )
    return f"{who_english} can {english}.", f"{who_japanese}が{japanese}。"


def _acl_entry(statement: Statement) -> Pair:
    grantee = next((principal.value for principal in statement.principals), "")
    target = ("everyone", "全員") if grantee == "*" else (grantee, grantee)
    if statement.conditions:
        target = ("all AWS accounts (AuthenticatedUsers)", "すべてのAWSアカウント（AuthenticatedUsers）")
    return (
        f"Entry {statement.number} of the ACL grants {statement.sid} to {target[0]}.",
        f"ACLの{statement.number}行目が{target[1]}に {statement.sid} を与えています。",
    )


def _statement(path: AccessPath) -> Pair:
    statement = path.statement
    policy_name = ("the bucket policy", "バケットポリシー")
    if path.access_point is not None:
        name = path.access_point.name_for_people or path.access_point.name
        policy_name = (f"the policy of access point {name}", f"アクセスポイント {name} のポリシー")
    sid = f' ("{statement.sid}")' if statement.sid else ""
    to = _principals(statement)
    everything_except = "everything except " if statement.not_action else ""
    named = _shown(statement.actions)
    return (
        f"Statement {statement.number}{sid} of {policy_name[0]} allows {everything_except}{named} to {to[0]}.",
        f"{policy_name[1]}のステートメント{statement.number}{sid}が、{to[1]}に {named} "
        f"{'以外のすべて' if statement.not_action else ''}を許可しています。",
    )


def _principals(statement: Statement) -> Pair:
    listed = ", ".join(
        principal.value if principal.kind == "AWS" else f"{principal.kind} {principal.value}"
        for principal in statement.principals
    )
    if statement.not_principal:
        return f"everyone except {listed}", f"{listed} 以外の全員"
    if any(principal.value == "*" and principal.kind == "AWS" for principal in statement.principals):
        return 'everyone (Principal "*")', "全員（Principal「*」）"
    return listed, listed


def _conditions(path: AccessPath) -> Sequence[Pair]:
    if path.via is Via.ACL:
        return ()
    if not path.statement.conditions:
        return (("It has no condition.", "条件は付いていません。"),)
    return tuple(_condition(condition, path) for condition in path.statement.conditions)


def _condition(condition: Condition, path: AccessPath) -> Pair:
    quantifier = {"": "", "any": "ForAnyValue:", "all": "ForAllValues:"}[condition.quantifier]
    operator = f"{quantifier}{condition.operator}{'IfExists' if condition.if_exists else ''}"
    written = f"{condition.spelling} {operator} {_shown(condition.values)}"
    english, japanese = _CONDITIONS[_why_met(condition, path)]
    values = {"condition": written, "not_before": path.not_before}
    return english.format(**values), japanese.format(**values)


def _why_met(condition: Condition, path: AccessPath) -> str:
    """Why the witness meets a condition: a key of `_CONDITIONS`."""
    key = condition.key
    if key not in path.witness.request.context:
        if condition.quantifier == "all":
            return "absent, all values"
        if condition.if_exists:
            return "absent, if exists"
        if condition.negated:
            return "absent, negated"
    if pins(condition, path.statement):
        return "fixed"
    if key == "aws:sourceip":
        return "network"
    if key.startswith(("aws:principal", "aws:user", "aws:source", "s3:dataaccesspoint")):
        return "caller"
    if key in ("aws:currenttime", "aws:epochtime"):
        return "opens later" if path.not_before else "open now"
    return "free choice"


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_NAMES_SHOWN]) + (" …" if len(texts) > _NAMES_SHOWN else "")


def _denials(path: AccessPath) -> Sequence[Pair]:
    return tuple(
        (f"A Deny stops it: {statement}.", f"拒否ステートメントが止めています：{statement}。")
        for statement in path.denied_by
    )


def _delegation(path: AccessPath) -> Sequence[Pair]:
    if path.access_point is None:
        return ()
    if path.not_delegated:
        return (
            (
                "The bucket's own policy does not admit such a caller through an access point.",
                "バケットポリシー側は、アクセスポイント経由のこの呼び出し元を許可していません。",
            ),
        )
    if path.effective:
        return (("The bucket's own policy allows it too.", "バケットポリシー側もこれを許可しています。"),)
    return ()


def _block(path: AccessPath) -> Pair:
    switch = path.block_switch
    if switch is None:
        return (
            "Block Public Access does not affect it: it acts on public grants only.",
            "ブロックパブリックアクセスは公開の許可だけに働くため、これには影響しません。",
        )
    if switch.levels:
        levels = ", ".join(switch.levels)
        return (
            f"Block Public Access stops it: {switch.name} is on ({levels}).",
            f"ブロックパブリックアクセスが止めています：{switch.name} がオン（{levels}）。",
        )
    if switch.unread:
        levels = ", ".join(switch.unread)
        return (
            f"Whether {switch.name} is on could not be read ({levels}).",
            f"{switch.name} がオンかどうかは読み取れませんでした（{levels}）。",
        )
    english, japanese = ("account and bucket", "アカウントでもバケットでも")
    if path.access_point:
        english = "account, bucket and access point"
        japanese = "アカウント・バケット・アクセスポイントのいずれでも"
    return (
        f"No block applies: {switch.name} is off at {english}.",
        f"{switch.name} は{japanese}オフで、遮断するものはありません。",
    )


def _aws_definition(path: AccessPath) -> Sequence[Pair]:
    if path.via is Via.ACL:
        return ()
    if path.policy_public:
        return (
            ("By AWS's own definition this policy is public.", "AWSの定義では、このポリシーは「パブリック」です。"),
        )
    return (
        (
            "By AWS's own definition this policy is not public.",
            "AWSの定義では、このポリシーは「パブリック」ではありません。",
        ),
    )


def _signer(path: AccessPath) -> str:
    caller = path.witness.request.caller
    arn = caller.context.get("aws:principalarn")
    return arn[0] if arn else ", ".join(sorted(caller.names))


def _example(path: AccessPath) -> Pair:
    text = example(path)
    if not path.witness.certain:
        return (
            "The conditions have too many combinations to try them all; the path is assumed to be open.",
            "条件の組み合わせが多すぎるため全数確認はできず、開いているものとして扱います。",
        )
    return f"For example: {text}.", f"例：{text}"
