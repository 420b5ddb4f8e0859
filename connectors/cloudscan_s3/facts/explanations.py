"""Why a way stands open, sentence by sentence, in English and in Japanese.

Every sentence is either about something that stands in the configuration (with its place) or about what that means.
Names and values that strangers wrote are quoted as they are; whoever prints them escapes them.
"""

from collections.abc import Mapping, Sequence

from cloudscan.facts import Via
from cloudscan_s3.access.access_paths import AccessPath
from cloudscan_s3.access.actions import Capability
from cloudscan_s3.access.bucket import Bucket, Encryption
from cloudscan_s3.access.policy import Condition
from cloudscan_s3.access.policy_status import pins

Sentences = Mapping[str, Sequence[str]]
_MOST_NAMES = 5

_WHO = {
    "anyone": ("Anyone on the internet, without an AWS account,", "インターネット上の誰でも（AWSアカウント不要）"),
    "any_account": ("Anyone with any AWS account", "AWSアカウントを持つ人なら誰でも"),
    "organisation": ("Every account of the organisation {names}", "組織 {names} のすべてのアカウント"),
    "account": ("AWS account {names}", "AWSアカウント {names}"),
    "principal": ("{names}", "{names}"),
    "canonical": ("The AWS account behind the canonical user {names}", "正規ユーザー {names} のAWSアカウント"),
    "unique_id": ("Whoever holds the IAM id {names}", "IAMの一意ID {names} を持つ者"),
    "federated": ("Whoever signs in through {names}", "{names} でサインインした人"),
    "service": ("The AWS service {names}", "AWSサービス {names}"),
    "network": ("Anyone who comes from the network {names}", "ネットワーク {names} から接続する人なら誰でも"),
    "access_point_account": (
        "Whomever account {names} lets in through its access points",
        "アカウント {names} が自分のアクセスポイントで許可した相手",
    ),
}
_WHAT = {
    Capability.OBJECTS: ("read objects", "オブジェクトを読み取れます"),
    Capability.KEYS: ("list the names of all objects", "オブジェクト名を一覧できます"),
    Capability.WRITING: ("write or delete objects", "オブジェクトを書き込みまたは削除できます"),
    Capability.ACCESS_RULES: ("change who has access", "アクセス権そのものを変更できます"),
    Capability.SETTINGS: ("read the bucket's settings", "バケットの設定を読み取れます"),
    Capability.ACL: ("read the access control list", "アクセスコントロールリスト（ACL）を読み取れます"),
    Capability.LABELS: ("read tags and attributes of objects", "オブジェクトのタグと属性を読み取れます"),
}
# Keys whose value is the caller's own choice, or that only describe the call.
_FREE_CHOICE = (
    "the caller chooses that value himself, so it keeps nobody out",
    "値は呼び出し側が自由に選べるため、誰も制限しません",
)


def who(way: AccessPath) -> tuple[str, str]:
    """Whom a way admits, in English and Japanese."""
    names = ", ".join(way.names[:_MOST_NAMES])
    more = len(way.names) - _MOST_NAMES
    english, japanese = _WHO[way.kind]
    if way.kind == "service" and way.stray:
        return (
            f"The AWS service {names}, on behalf of any customer of AWS,",
            f"AWSサービス {names}（任意のAWS利用者の代理として動作可能）",
        )
    tail = (f" and {more} more", f" ほか{more}件") if more > 0 else ("", "")
    return english.format(names=names + tail[0]), japanese.format(names=names + tail[1])


def chain(way: AccessPath, bucket: Bucket) -> Sentences:
    """The reasons for one way, from what is true to what it rests on."""
    pairs = [
        _claim(way),
        _source(way),
        *(_condition(each, way) for each in way.statement.conditions if way.via is Via.POLICY),
        *_no_condition(way),
        *kms(way, bucket),
        *_denials(way),
        *_delegation(way),
        _block(way),
        *_letter(way),
        _example(way),
    ]
    return {"en": [pair[0] for pair in pairs], "ja": [pair[1] for pair in pairs]}


def _claim(way: AccessPath) -> tuple[str, str]:
    someone, dareka = who(way)
    english, japanese = _WHAT[way.capability]
    if way.effective is False:
        return (
            f"{someone} could {english}, if nothing stood in the way.",
            f"遮断している設定がなければ、{dareka}が{japanese}。",
        )
    if way.effective is None:
        return (
            f"{someone} can {english}, unless a setting that could not be read prevents it.",
            f"読み取れなかった設定が遮断していない限り、{dareka}が{japanese}。",
        )
    return f"{someone} can {english}.", f"{dareka}が{japanese}。"


def _source(way: AccessPath) -> tuple[str, str]:
    statement = way.statement
    if way.via is Via.ACL:
        group = next((each.value for each in statement.principals), "")
        target = ("everybody", "全員") if group == "*" else (group, group)
        if statement.conditions:
            target = ("all AWS accounts (AuthenticatedUsers)", "すべてのAWSアカウント（AuthenticatedUsers）")
        return (
            f"Line {statement.number} of the ACL gives {statement.sid} to {target[0]}.",
            f"ACLの{statement.number}行目が{target[1]}に {statement.sid} を与えています。",
        )
    sid = f' ("{statement.sid}")' if statement.sid else ""
    place = ("the bucket policy", "バケットポリシー")
    if way.access_point is not None:
        name = way.access_point.name_for_people or way.access_point.name
        place = (f"the policy of access point {name}", f"アクセスポイント {name} のポリシー")
    listed = ", ".join(
        f"{each.kind} {each.value}" if each.kind != "AWS" else each.value for each in statement.principals
    )
    to = (f"everybody except {listed}", f"{listed} 以外の全員") if statement.not_principal else (listed, listed)
    if any(each.value == "*" and each.kind == "AWS" for each in statement.principals) and not statement.not_principal:
        to = ('everybody (Principal "*")', "全員（Principal「*」）")
    verb = "everything except " if statement.not_action else ""
    named = ", ".join(statement.actions[:_MOST_NAMES]) + (" …" if len(statement.actions) > _MOST_NAMES else "")
    return (
        f"Statement {statement.number}{sid} of {place[0]} allows {verb}{named} to {to[0]}.",
        f"{place[1]}のステートメント{statement.number}{sid}が、{to[1]}に {named} "
        f"{'以外のすべて' if statement.not_action else ''}を許可しています。",
    )


def _condition(condition: Condition, way: AccessPath) -> tuple[str, str]:
    quantifier = {"": "", "any": "ForAnyValue:", "all": "ForAllValues:"}[condition.quantifier]
    operator = f"{quantifier}{condition.operator}{'IfExists' if condition.if_exists else ''}"
    values = ", ".join(condition.values[:_MOST_NAMES]) + (" …" if len(condition.values) > _MOST_NAMES else "")
    written = f"{condition.spelling} {operator} {values}"
    request = way.witness.request.context
    if condition.key not in request and condition.quantifier == "all":
        return (
            f"Its condition {written} is met by a request without that key: ForAllValues is true of nothing.",
            f"条件 {written} は、キーを含まない要求でも満たされます（ForAllValuesは空なら真です）。",
        )
    if condition.key not in request and condition.if_exists:
        return (
            f"Its condition {written} is met by a request without that key: …IfExists does not insist on it.",
            f"条件 {written} は、キーを含まない要求でも満たされます（IfExistsのため）。",
        )
    if condition.key not in request and condition.negated:
        return (
            f"Its condition {written} is met by a request without that key: a negated operator is true of nothing.",
            f"条件 {written} は、キーを含まない要求でも満たされます（否定演算子のため）。",
        )
    if pins(condition, way.statement):
        return (
            f"Its condition {written} limits this to fixed values.",
            f"条件 {written} が対象を固定値に限定しています。",
        )
    if condition.key == "aws:sourceip":
        return (
            f"Its condition {written} is so broad, or so negated, that it does not amount to a fixed network.",
            f"条件 {written} は範囲が広すぎるか否定形であり、固定されたネットワークとはいえません。",
        )
    if condition.key.startswith(("aws:principal", "aws:user", "aws:source", "s3:dataaccesspoint")):
        return (
            f"Its condition {written} matches such a caller; AWS does not count it as a fixed value.",
            f"条件 {written} はこの呼び出し元に一致します。AWSの定義では固定値に当たりません。",
        )
    if condition.key in ("aws:currenttime", "aws:epochtime") and way.not_before:
        return (
            f"Its condition {written} is not met yet: the way opens by itself on {way.not_before}.",
            f"条件 {written} はまだ満たされていません。{way.not_before} に自動的に開きます。",
        )
    if condition.key in ("aws:currenttime", "aws:epochtime"):
        return f"Its condition {written} is met at the moment.", f"条件 {written} は現時点で満たされています。"
    return f"Its condition {written}: {_FREE_CHOICE[0]}.", f"条件 {written}: {_FREE_CHOICE[1]}。"


def _no_condition(way: AccessPath) -> Sequence[tuple[str, str]]:
    if way.via is Via.ACL or way.statement.conditions:
        return ()
    return (("It has no condition.", "条件は付いていません。"),)


def _denials(way: AccessPath) -> Sequence[tuple[str, str]]:
    return tuple((f"A Deny stops it: {each}.", f"拒否ステートメントが止めています：{each}。") for each in way.denied_by)


def _delegation(way: AccessPath) -> Sequence[tuple[str, str]]:
    if way.access_point is None:
        return ()
    if way.not_delegated:
        return (
            (
                "The bucket's own policy does not let such a caller in through an access point.",
                "バケットポリシー側は、アクセスポイント経由のこの呼び出し元を許可していません。",
            ),
        )
    if way.effective:
        return (("The bucket's own policy lets it pass.", "バケットポリシー側もこれを許可しています。"),)
    return ()


def _block(way: AccessPath) -> tuple[str, str]:
    guard = way.guard
    if guard is None:
        return (
            "Block Public Access does not touch it: it acts on public grants only.",
            "ブロックパブリックアクセスは公開の許可だけに働くため、これには影響しません。",
        )
    if guard.levels:
        levels = ", ".join(guard.levels)
        return (
            f"Block Public Access stops it: {guard.name} is on ({levels}).",
            f"ブロックパブリックアクセスが止めています：{guard.name} がオン（{levels}）。",
        )
    if guard.unread:
        levels = ", ".join(guard.unread)
        return (
            f"Whether {guard.name} is on could not be read ({levels}).",
            f"{guard.name} がオンかどうかは読み取れませんでした（{levels}）。",
        )
    where = "account, bucket and access point" if way.access_point else "account and bucket"
    doko = "アカウント・バケット・アクセスポイントのいずれでも" if way.access_point else "アカウントでもバケットでも"
    return (
        f"No block applies: {guard.name} is off at {where}.",
        f"{guard.name} は{doko}オフで、遮断するものはありません。",
    )


def _letter(way: AccessPath) -> Sequence[tuple[str, str]]:
    if way.via is Via.ACL:
        return ()
    if way.policy_status:
        return (
            ("By AWS's own definition this policy is public.", "AWSの定義では、このポリシーは「パブリック」です。"),
        )
    return (
        (
            "By AWS's own definition this policy is not public.",
            "AWSの定義では、このポリシーは「パブリック」ではありません。",
        ),
    )


def kms(way: AccessPath, bucket: Bucket) -> Sequence[tuple[str, str]]:
    """What the bucket's default key means for outsiders who may read. Source: User Guide, "Using SSE-KMS"."""
    encryption = bucket.encryption
    if not isinstance(encryption, Encryption) or not encryption.algorithm.startswith("aws:kms"):
        return ()
    if way.capability is not Capability.OBJECTS or way.kind == "service":
        return ()
    key = encryption.key or "aws/s3"
    unsigned = way.witness.request.caller.kind == "anonymous"
    if unsigned or key.endswith("aws/s3"):
        return (
            (
                f"New objects are encrypted under the KMS key {key} by default, which such a caller cannot use: "
                "only objects stored otherwise can be read.",
                f"既定では新しいオブジェクトはKMSキー {key} で暗号化され、この呼び出し元は復号できません。"
                "読み取れるのは、それ以外の方法で保存されたオブジェクトだけです。",
            ),
        )
    return (
        (
            f"New objects are encrypted under the KMS key {key} by default: to read them, the key's policy must also "
            "admit the caller, which was not looked at.",
            f"既定では新しいオブジェクトはKMSキー {key} で暗号化されます。読み取りにはキーポリシーの許可も必要ですが、"
            "そこまでは確認していません。",
        ),
    )


def example(way: AccessPath) -> str:
    """One concrete request that gets through, as text."""
    request = way.witness.request
    signed = "unsigned" if request.caller.kind == "anonymous" else f"signed by {_caller(way)}"
    shown = [
        f"{key}={', '.join(values)}"
        for key, values in request.context.items()
        if key in {condition.key for condition in way.statement.conditions} and not key.startswith("aws:principal")
    ]
    return f"{request.action.name} {request.resource}, {signed}" + (f", with {'; '.join(shown)}" if shown else "")


def _caller(way: AccessPath) -> str:
    caller = way.witness.request.caller
    arn = caller.context.get("aws:principalarn")
    return arn[0] if arn else ", ".join(sorted(caller.names))


def _example(way: AccessPath) -> tuple[str, str]:
    text = example(way)
    if not way.witness.certain:
        return (
            "The conditions have too many combinations to try them all; it is taken to be open.",
            "条件の組み合わせが多すぎるため全数確認はできず、開いているものとして扱います。",
        )
    return f"For example: {text}.", f"例：{text}"
