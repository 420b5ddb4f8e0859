"""A CronJob with what it needs: configuration, rules, secrets, a volume, and nothing else that it may do or reach.

Source: Kubernetes' pod security standards, profile *restricted*.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cloudscan.nightly.schedule.plan import Plan, yaml_text
from cloudscan.nightly.schedule.requirements import DATA, MOUNTED_FILES, mounted_rules

_META: Final = {"name": "cloudscan", "labels": {"app.kubernetes.io/name": "cloudscan"}}
_CONFIG: Final = "/etc/cloudscan/cloudscan.toml"
_USER: Final = 10001  # the image's
_NAME: Final = "cloudscan"
_FILES: Final = "cloudscan-files"

Document = Mapping[str, Any]


def kubernetes(plan: Plan) -> str:
    """The documents, with remarks on the secrets that have to be there, in UTC."""
    return _remarks(plan) + "---\n".join(map(yaml_text, documents(plan)))


def documents(plan: Plan) -> Sequence[Document]:
    """A service account, configuration, rules, a volume, what the pods may reach, the two jobs."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _META, "automountServiceAccountToken": False},
        _config_map(_NAME, {"cloudscan.toml": plan.config_text}),
        *[
            _config_map(_rules_name(number), dict(zip(_keys(texts), texts.values(), strict=True)))
            for number, texts in enumerate(plan.rule_files.values())
        ],
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _META,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
        },
        _network_policy(plan),
        _job(plan, _NAME, "nightly", f"{plan.minute} {plan.hour} * * *", retries=2),
        _job(plan, "cloudscan-health", "health", f"{(plan.minute + 30) % 60} */6 * * *", retries=0),
    ]


def _remarks(plan: Plan) -> str:
    needs = plan.needs
    lines = [
        f"The image is that of deploy/container/Containerfile in a registry of yours; here: {plan.image}.",
        "Pass its name, best with its digest, with --image. Bind the permissions to read the platforms to the service",
        "account (workload identity), or put the variables and files into the secrets below.",
    ]
    if needs.variables:
        lines += ["", f"kubectl create secret generic {_NAME} --from-env-file=FILE with lines NAME=value:"]
        lines += [f"  {one.name}: {one.meaning}{' (optional)' if one.optional else ''}" for one in needs.variables]
    if needs.files:
        lines += ["", f"kubectl create secret generic {_FILES}, with"]
        lines += [f"  --from-file={file.name}=PATH   # {file.meaning}" for file in needs.files]
    lines += [
        "",
        "What a scan finds or cannot read does not fail the job. cloudscan-health fails where a night is missing or",
        "something could not be read that is not waived. cloudscan-health and cloudscan share the volume.",
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _config_map(name: str, data: Mapping[str, str]) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**_META, "name": name}, "data": dict(data)}


def _keys(paths: Iterable[str]) -> Sequence[str]:
    """Paths as keys of a ConfigMap, which may contain letters, digits, and ``-_.`` only; unlike ones stay unlike."""
    keys: list[str] = []
    for path in paths:
        key = re.sub(r"[^-._a-zA-Z0-9]", "_", path.replace("/", "--"))
        keys.append(key if key not in keys else f"{len(keys)}-{key}")
    return keys


def _rules_name(number: int) -> str:
    return f"cloudscan-rules-{number}"


def _network_policy(plan: Plan) -> Document:
    """Nobody connects to the pods; they connect to name servers and to the ports that the configuration names."""
    names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    ports = [{"protocol": "TCP", "port": port} for port in plan.needs.ports]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _META,
        "spec": {
            "podSelector": {"matchLabels": _META["labels"]},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [{"ports": [*names, *ports]}],
        },
    }


def _job(plan: Plan, name: str, command: str, schedule: str, *, retries: int) -> Document:
    # A job that ended with one of cloudscan's own codes is not repeated; a killed pod is restarted and resumes.
    ended = {"action": "FailJob", "onExitCodes": {"containerName": _NAME, "operator": "In", "values": [1, 2, 3, 4, 70]}}
    template = {"metadata": {"labels": _META["labels"]}, "spec": _pod(plan, command)}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {**_META, "name": name},
        "spec": {
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 7,
            "failedJobsHistoryLimit": 7,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": retries,
                    "podFailurePolicy": {"rules": [ended]},
                    "template": template,
                }
            },
        },
    }


def _pod(plan: Plan, command: str) -> Document:
    container = {
        "name": _NAME,
        "image": plan.image,
        "args": ["--config", _CONFIG, command],
        "workingDir": DATA,
        "env": [*_plain_variables(), *_variables(plan)],
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": volume["name"], **mount} for volume, mount in _volumes(plan)],
    }
    return {
        "serviceAccountName": _NAME,
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [volume for volume, _ in _volumes(plan)],
    }


def _plain_variables() -> list[Document]:
    return [{"name": "HOME", "value": "/tmp"}]  # noqa: S108 - an empty volume of the pod's own


def _variables(plan: Plan) -> list[Document]:
    """The variables from the secret; those that contain a file's path, as it is mounted."""
    of_secret = [
        {
            "name": variable.name,
            "valueFrom": {"secretKeyRef": {"name": _NAME, "key": variable.name, "optional": variable.optional}},
        }
        for variable in plan.needs.variables
    ]
    of_files = [
        {"name": file.variable, "value": f"{MOUNTED_FILES}/{file.name}"} for file in plan.needs.files if file.variable
    ]
    return [*of_secret, *of_files]


def _volumes(plan: Plan) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each volume, and how it is mounted."""
    volumes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"name": "config", "configMap": {"name": _NAME}}, {"mountPath": "/etc/cloudscan", "readOnly": True}),
        ({"name": "data", "persistentVolumeClaim": {"claimName": _NAME}}, {"mountPath": DATA}),
        ({"name": "tmp", "emptyDir": {}}, {"mountPath": "/tmp"}),  # noqa: S108
    ]
    if plan.needs.files:
        secret = {"secretName": _FILES, "defaultMode": 0o440}
        volumes.append(({"name": "files", "secret": secret}, {"mountPath": MOUNTED_FILES, "readOnly": True}))
    for number, texts in enumerate(plan.rule_files.values()):
        items = [{"key": key, "path": path} for key, path in zip(_keys(texts), texts, strict=True)]
        volumes.append(
            (
                {"name": f"rules-{number}", "configMap": {"name": _rules_name(number), "items": items}},
                {"mountPath": mounted_rules(number), "readOnly": True},
            )
        )
    return volumes
