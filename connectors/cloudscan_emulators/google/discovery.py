"""What Google publishes about its APIs: methods, parameters, scopes, answers.

Read from the discovery documents that google-api-python-client brings along, so that the emulator refuses a
parameter, value or field exactly where the description does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import unquote

from cloudscan_emulators.google import errors, field_masks

_DOCUMENTS = (
    ("drive", "drive.v3", "/drive/v3/"),
    ("admin", "admin.directory_v1", "/"),
    ("reports", "admin.reports_v1", "/"),
    ("cloudidentity", "cloudidentity.v1", "/"),
    ("groupssettings", "groupssettings.v1", "/groups/v1/groups/"),
)
_CUT = {"drive.files.list"}  # larger page sizes are cut, by the text of the parameter; elsewhere they are refused
_POLICY = "cloudidentity.policies.get"  # its parameter is a path of two parts
_VARIABLE = re.compile(r"\{(\+?)(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of an API."""

    id: str
    api: str
    verb: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Mapping[str, Any]]
    scopes: frozenset[str]
    answer: str  # the name of the schema
    schemas: Mapping[str, field_masks.Schema]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that the description allows."""

    method: Method
    values: Mapping[str, str]
    numbers: Mapping[str, int]
    switches: Mapping[str, bool]
    mask: field_masks.Mask
    masked: bool  # `fields` was given

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def on(self, name: str) -> bool:
        return self.switches.get(name, False)


class Catalogue:
    """All methods of the APIs that are emulated."""

    def __init__(self) -> None:
        self._methods: dict[tuple[str, int], list[Method]] = {}
        self._masks: dict[tuple[str, str], field_masks.Mask] = {}
        self._common: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        folder = resources.files("googleapiclient.discovery_cache") / "documents"
        for api, document, prefix in _DOCUMENTS:
            description = json.loads((folder / f"{document}.json").read_text(encoding="utf-8"))
            self._common[api] = description["parameters"]
            self._read(api, prefix, description["resources"], description["schemas"])

    def find(self, verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """The method that a path is, with the values in the path."""
        for method in self._methods.get((verb, path.count("/")), ()):
            match = method.pattern.fullmatch(path)
            if match:
                return method, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def call(self, method: Method, in_path: Mapping[str, str], query: Sequence[tuple[str, str]]) -> Call:
        """Check the parameters against the description."""
        known = {**self._common[method.api], **method.parameters}
        values: dict[str, str] = dict(in_path)
        numbers: dict[str, int] = {}
        switches: dict[str, bool] = {}
        for name, text in query:
            if name not in known or known[name].get("location") != "query":
                raise errors.unknown_parameter(name)
            _check(method, name, known[name], text, numbers, switches)
            values[name] = text
        for name, parameter in method.parameters.items():
            if name not in values:
                if parameter.get("required"):
                    raise errors.required(name)
                if "default" in parameter:
                    _check(method, name, parameter, parameter["default"], numbers, switches)
        text = values.get("fields", "")
        mask = self._mask(method, text) if text else None
        return Call(
            method=method, values=values, numbers=numbers, switches=switches, mask=mask, masked="fields" in values
        )

    def _mask(self, method: Method, text: str) -> field_masks.Mask:
        key = (method.id, text)
        if key not in self._masks:
            mask = field_masks.parse(text)
            field_masks.check(mask, {"$ref": method.answer}, method.schemas)
            if len(self._masks) > 1000:
                self._masks.clear()
            self._masks[key] = mask
        return self._masks[key]

    def _read(self, api: str, prefix: str, nodes: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
        for node in nodes.values():
            self._read(api, prefix, node.get("resources", {}), schemas)
            for raw in node.get("methods", {}).values():
                path = prefix + raw.get("flatPath", raw["path"])
                method = Method(
                    id=raw["id"].replace("directory.", "admin."),
                    api=api,
                    verb=raw["httpMethod"],
                    pattern=_pattern(path, raw["id"]),
                    parameters=raw.get("parameters", {}),
                    scopes=frozenset(raw.get("scopes", ())),
                    answer=raw.get("response", {}).get("$ref", ""),
                    schemas=schemas,
                )
                self._methods.setdefault((method.verb, path.count("/")), []).append(method)


def _pattern(path: str, identity: str) -> re.Pattern[str]:
    if identity == _POLICY:
        return re.compile(r"/v1/(?P<name>policies/[^/]+)")
    parts = _VARIABLE.split(path)
    text = "".join(
        re.escape(part) if index % 3 == 0 else "" if index % 3 == 1 else f"(?P<{part}>[^/]+)"
        for index, part in enumerate(parts)
    )
    return re.compile(text)


def _check(
    method: Method,
    name: str,
    parameter: Mapping[str, Any],
    text: str,
    numbers: dict[str, int],
    switches: dict[str, bool],
) -> None:
    kind = parameter.get("type", "string")
    if kind == "integer":
        try:
            number = int(text)
        except ValueError:
            raise errors.badly_typed(name, text, "TYPE_INT32") from None
        least, most = parameter.get("minimum", "0"), parameter.get("maximum", str(2**31 - 1))
        if number > int(most) and method.id in _CUT:
            number = int(most)
        if not int(least) <= number <= int(most):
            raise errors.out_of_range(name, text, least, most)
        numbers[name] = number
    elif kind == "boolean":
        if text not in ("true", "false", "True", "False", "1", "0"):
            raise errors.badly_typed(name, text, "TYPE_BOOL")
        switches[name] = text in ("true", "True", "1")
    elif "enum" in parameter and text and text not in parameter["enum"]:
        message = f"Invalid value '{text}'. Values must match one of: {', '.join(parameter['enum'])}"
        raise errors.Refused(400, "invalidParameter", message, location=name)
