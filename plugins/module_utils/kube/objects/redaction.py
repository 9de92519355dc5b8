# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and redact secrets in objects and texts, by their place and form.

They are values of Secrets, settings and environment variables with names of secrets, passwords and signatures in URLs,
tokens, private keys and kubeconfigs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "<hidden>"
MASK = "********"

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|token|(?:api|access|secret|signing|encryption|private|account|auth)[-_]?key"
    r"|secret[-_]?access[-_]?key|(?:client|shared|cookie|webhook|app)[-_]?secret|credentials?|connection[-_]?string"
    r"|htpasswd|authorization|dockerconfigjson)"
)
_SECRET_NAME = re.compile(rf"(?:{_NAMES}|(?:^|[-_.])(?:pass|pw|sas|dsn)|(?-i:[A-Z0-9]_SECRET))$", re.IGNORECASE)
_NEVER_SECRET = frozenset({"", "true", "false", "null", "none"})
_LAST_APPLIED = "last-applied-configuration"
_WORD = re.compile(r"[a-z]+")
_ENOUGH = 6
"""The minimum length of a value to redact in texts: shorter ones occur by chance."""

_SIGNS = re.compile(
    r"://|[?&]|eyJ|-----BEGIN|bearer|basic|pass|pwd|token|key|secret|credential|connection|auth|dockerconfig"
    r"|[A-Za-z0-9+/]{60}",
    re.IGNORECASE,
)
# Repetitions are bounded against texts that would make the search slow.
_NAMED = rf"[\w.-]{{0,64}}(?:{_NAMES})"
_PATTERNS = tuple(
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL, HIDDEN),
        (r"(\b[a-z][a-z0-9+.-]{0,20}://[^/\s:@\"'<>]{0,512}:)[^/\s\"'<>]{0,4096}@", re.IGNORECASE, rf"\1{MASK}@"),
        (r"(\b[a-z][a-z0-9+.-]{0,20}://)[^/\s:@\"'<>]{1,4096}@", re.IGNORECASE, rf"\1{MASK}@"),
        (
            r"([?&;](?:sig|signature|code|key|[\w.-]{0,64}(?:token|password|passwd|secret|api[-_]?key)"
            r"|x-(?:amz|goog)-(?:signature|credential|security-token)|AWSAccessKeyId)=)[^&#\s\"'<>]+",
            re.IGNORECASE,
            rf"\1{MASK}",
        ),
        (r"\beyJ[\w-]{8,4096}\.[\w-]{8,16384}(?:\.[\w-]{0,4096})?", 0, MASK),
        (r"\b(bearer|basic)(\s+)(?=[^\s\"']{0,512}[\d._/+=~-])[\w.~+/=-]{8,}", re.IGNORECASE, rf"\1\2{MASK}"),
        # In YAML and diffs of it.
        (
            rf"^([ +-]*(?:- )?[\"']?{_NAMED}[\"']?:[ \t]+)(?!<hidden|[|>{{\[]|(?:null|true|false|\"\"|'')\s*$)\S.*$",
            re.IGNORECASE | re.MULTILINE,
            rf"\1{MASK}",
        ),
        # In JSON, and in JSON that is quoted.
        (
            rf"(\\{{0,9}}[\"'](?:{_NAMED}|auth)\\{{0,9}}[\"']\s*:\s*\\{{0,9}}[\"'])(?:(?!\\{{0,9}}[\"']).)+",
            re.IGNORECASE,
            rf"\1{MASK}",
        ),
        # In command lines, and in maps printed by Go.
        (rf"\b({_NAMED}=)(?:\"[^\"\n]+\"|'[^'\n]+'|[^\s,;&\"')}}\]]+)", re.IGNORECASE, rf"\1{MASK}"),
        (rf"((?:map\[|[\[ ]){_NAMED}:)[^\s\]]+(?=[\s\]])", re.IGNORECASE, rf"\1{MASK}"),
    )
)
_PLAIN = re.compile(r"[('\"`\[]*(?:[A-Za-z]?[a-z]{0,19}|[A-Z]{1,6}|\d{1,4}|[a-z]+['-][a-z]+)[.,:;!?)'\"`\]]*")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}")
_IN_ENCODED = (b"PRIVATE KEY", b"client-key-data", b"current-context", b'"auths"', b"clusters:", b"token:", b'"token"')


def is_secret_name(name: str) -> bool:
    """Return whether the name of a setting or environment variable is that of a secret."""
    return bool(_SECRET_NAME.search(name))


def redacted_text(text: str) -> str:
    """Return a text with values in the form of a secret replaced."""
    if not _SIGNS.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _ENCODED.sub(_without_credentials, text)


def holds_secret(text: str) -> bool:
    """Return whether a text has a value in the form of a secret."""
    return redacted_text(text) != text


def plain_words(text: str) -> str:
    """Return only the words and short numbers of a program's output, which may have unknown secrets."""
    return redacted_text(re.sub(r"\S+", lambda found: found[0] if _PLAIN.fullmatch(found[0]) else MASK, text))


def redacted(obj: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an object for display; a hidden value tells whether it differs from `before`."""
    return {
        name: _shown(str(name), value, (before or {}).get(name), obj.get("kind") == "Secret")
        for name, value in obj.items()
    }


def _shown(name: str, value: Any, before: Any, of_secret: bool) -> Any:
    if isinstance(value, Mapping):
        was: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
        if of_secret and name != "metadata":
            return {key: _hidden(one, was.get(key)) for key, one in value.items()}
        if _pair(value):
            return {**value, "value": _hidden(value["value"], was.get("value"))}
        secret = value.get("kind") == "Secret" and "metadata" in value
        return {key: _shown(str(key), one, was.get(key), secret) for key, one in value.items()}
    if isinstance(value, list):
        items = before if isinstance(before, list) else []
        return [_shown("", one, _counterpart(one, number, items), False) for number, one in enumerate(value)]
    if isinstance(value, str) and name.endswith(_LAST_APPLIED):
        return HIDDEN
    return _hidden(value, before) if isinstance(value, str) and _is_value(value) and is_secret_name(name) else value


def _counterpart(item: Any, number: int, before: list[Any]) -> Any:
    """Return the previous item of a list: the one with its name, else the one at its index."""
    if isinstance(item, Mapping) and "name" in item:
        return next((one for one in before if isinstance(one, Mapping) and one.get("name") == item["name"]), None)
    return before[number] if number < len(before) else None


def _hidden(value: Any, before: Any) -> str:
    return f"{HIDDEN[:-1]}, changed>" if before is not None and before != value else HIDDEN


def _pair(value: Mapping[str, Any]) -> bool:
    """Return whether this is a pair of name and value, such as an environment variable, with a secret value."""
    name, own = value.get("name"), value.get("value")
    return isinstance(name, str) and isinstance(own, str) and _is_value(own) and is_secret_name(name)


def _is_value(value: str) -> bool:
    return value.strip().lower() not in _NEVER_SECRET


def secret_values(tree: Any, name: str = "") -> Iterator[str]:
    """Yield the secrets in objects or settings, plain and encoded."""
    if isinstance(tree, Mapping):
        if _pair(tree):
            yield from _forms(str(tree["value"]))
        of_secret = tree.get("kind") == "Secret"
        for key, value in tree.items():
            if of_secret and key != "metadata" and isinstance(value, Mapping):
                yield from _of_secret(value, encoded=key == "data")
            else:
                yield from secret_values(value, str(key))
    elif isinstance(tree, list):
        for value in tree:
            yield from secret_values(value, name)
    elif isinstance(tree, str):
        if name.endswith(_LAST_APPLIED):
            yield from secret_values(_json(tree))
        elif _is_value(tree) and is_secret_name(name):
            yield from _forms(tree)
        elif "://" in tree:
            yield from secrets_of_url(tree)


def secrets_of_url(url: str) -> Iterator[str]:
    """Yield the password or token, and the signature of a URL."""
    from urllib.parse import parse_qsl, unquote, urlsplit

    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query)
    except ValueError:
        return
    user, _at, _host = parts.netloc.rpartition("@")
    name, colon, word = user.partition(":")
    given = word if colon else name
    for secret in (given, unquote(given)):
        if secret:
            yield secret
    for key, value in pairs:
        if holds_secret(f"?{key}={value}"):
            yield from _forms(value)


def _of_secret(data: Mapping[str, Any], *, encoded: bool) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _of_secret(value, encoded=False)
        if not isinstance(value, str):
            continue
        plain = _decoded(value) if encoded else value
        if encoded:
            yield from _worth_hiding(value, sure=True)
        # A common word, such as a user name, occurs in too many places.
        sure = is_secret_name(str(key)) or not _WORD.fullmatch(plain or "")
        if plain:
            yield from _forms(plain, sure=sure)
            yield from secret_values(_json(plain))


def _forms(value: str, *, sure: bool = True) -> Iterator[str]:
    """Yield a value, and its encoded and quoted forms."""
    value = value.strip()
    yield from _worth_hiding(value, sure)
    if sure and len(value) >= _ENOUGH:
        yield base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
        yield json.dumps(value)[1:-1]
    if "\n" in value:
        # A key with many lines may be quoted line by line.
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) > 16 and "-----" not in line)


def _worth_hiding(value: str, sure: bool) -> Iterator[str]:
    if sure and len(value) >= _ENOUGH:
        yield value


def _json(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=False).decode()
    except (ValueError, binascii.Error):
        return None


def _without_credentials(found: re.Match[str]) -> str:
    text = found[0]
    for start in range(4):
        # The start within a longer text is unknown.
        part = text[start : start + (len(text) - start) // 4 * 4]
        try:
            plain = base64.b64decode(part)
        except binascii.Error:
            continue
        if any(sign in plain for sign in _IN_ENCODED):
            return HIDDEN
    return text
