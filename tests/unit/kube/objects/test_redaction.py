# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken for a secret, in objects and texts, and what is not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.redaction import (
    is_secret_name,
    redacted,
    redacted_text,
    secret_values,
)

CANARY = "canary-7f3a91"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"
KEY = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\nabc\n-----END PRIVATE KEY-----\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "adminPassword", "db.passwd", "token", "accessToken", "github-token", "API_KEY", "apikey",
     "secretKey", "aws_secret_access_key", "clientSecret", "client-secret", "signing_key", "privateKey", "MQTT_PASS",
     "APP_SECRET", "connectionString", ".dockerconfigjson", "htpasswd", "PGPASSWORD"],
)  # fmt: skip
def test_names_that_say_that_a_value_is_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["secretName", "secret", "admin_secret", "pull_secrets", "imagePullSecrets", "credentialName", "passwordFile", "key",
     "tokenExpirationSeconds", "compass", "JWT_POLICY", "automountServiceAccountToken_", "caBundle", "name", "app"],
)  # fmt: skip
def test_names_of_secrets_and_of_settings_about_them_say_nothing_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        f"cannot fetch https://user:{CANARY}@mirror.example/istio: 404",
        f"cannot fetch https://{CANARY}@mirror.example/istio: 404",
        f"proxy http://us%40er:{CANARY}:x@@proxy:3128 refuses",
        f"https://store.blob.core.windows.net/x.tar.gz?sv=2024&sig={CANARY}&se=1 is gone",
        f"https://s3.example/x?X-Amz-Signature={CANARY}",
        f"https://api.example/x?access_token={CANARY}#top",
        f"Authorization: Bearer {CANARY}",
        f"the header 'authorization: Basic {encoded('user:' + CANARY)}' is wrong",
        f"--set values.global.token={CANARY} is no setting",
        f"DB_PASSWORD={CANARY} PORT=1",
        f'got "map[password:{CANARY} user:web]", expected string',
        f'{{"kind":"Config","users":[{{"user":{{"token":"{CANARY}"}}}}]}}',
        json.dumps(json.dumps({"stringData": {"password": CANARY}})),
        f'{{"auths": {{"registry": {{"auth": "{CANARY}"}}}}}}',
        f"data:\n  config.yaml: |\n    auth:\n      password: {CANARY}\n    port: 1\n",
        f"+  api_key: '{CANARY}'\n   port: 1",
        KEY,
        encoded(KEY),
        f"invalid value {encoded('apiVersion: v1' + chr(10) + 'clusters: []' + chr(10) + 'users: [' + CANARY)} given",
    ],
)
def test_what_has_the_form_of_a_secret_is_not_in_a_text(text: str) -> None:
    shown = redacted_text(text)
    assert CANARY not in shown
    assert encoded(KEY)[:40] not in shown
    assert encoded("user:" + CANARY) not in shown


def test_a_token_of_a_service_account_is_recognised_by_its_form() -> None:
    assert redacted_text(f"the server says {JWT}: no") == "the server says ********: no"


@pytest.mark.parametrize(
    "text",
    [
        "The cluster at https://10.0.0.1:6443 does not answer: Connection refused; see that it is up.",
        "Istio 1.29.1 cannot be downloaded from https://github.com/istio/istio/releases?version=1.29.1",
        "docker.io/istio/pilot@sha256:2f0d9a7c2f0d9a7c2f0d9a7c2f0d9a7c2f0d9a7c2f0d9a7c2f0d9a7c2f0d9a7c",
        "Secret istio-system/cacerts has no key ca-key.pem",
        "The bearer token has expired; log in again.",
        "basic authentication is refused",
        "secretName: web-cert\ncredentialName: web\n",
        "automountServiceAccountToken: true\ntoken: null\n",
        "The user 'ci' may not create secrets in namespace shop",
        encoded("just a long text without anything in it that somebody could use to log in anywhere"),
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert redacted_text(text) == text


def pod(**env: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return {"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "env": variables}]}}


def test_environment_variables_are_shown_unless_their_names_say_that_they_are_secret() -> None:
    shown = redacted(pod(DB_PASSWORD="new", PORT="80"), pod(DB_PASSWORD="old", PORT="80"))
    assert shown == pod(DB_PASSWORD="<hidden, changed>", PORT="80")


def test_secrets_within_a_list_are_hidden_too() -> None:
    inner = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"user": encoded(CANARY)}}
    shown = redacted({"kind": "List", "items": [inner]})
    assert shown["items"][0]["data"] == {"user": "<hidden>"}


def test_what_stands_in_a_secret_under_a_wrong_name_is_hidden_too() -> None:
    shown = redacted({"kind": "Secret", "type": "Opaque", "metadata": {"name": "a"}, "stringdata": {"any": CANARY}})
    assert shown["stringdata"] == {"any": "<hidden>"}
    assert (shown["type"], shown["metadata"]) == ("Opaque", {"name": "a"})


def test_keys_that_are_no_text_are_no_defect() -> None:
    assert redacted({"kind": "Pod", "metadata": {"labels": {1: "a"}}})["metadata"]["labels"] == {1: "a"}
    assert list(secret_values({1: {2: ["a", None, 3]}})) == []


def test_the_copy_that_kubectl_keeps_is_hidden_on_every_kind() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "note": "shown"}
    shown = redacted({"kind": "ConfigMap", "metadata": {"name": "a", "annotations": annotations}})
    assert shown["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/last-applied-configuration": "<hidden>",
        "note": "shown",
    }


@pytest.mark.parametrize(
    "tree",
    [
        {"kind": "Secret", "stringData": {"any": CANARY}},
        {"kind": "Secret", "data": {"any": encoded(CANARY)}},
        {"kind": "Secret", "stringdata": {"any": CANARY}},
        {"kind": "Secret", "stringData": {"any": {"nested": CANARY}}},
        {"kind": "List", "items": [{"kind": "Secret", "stringData": {"any": CANARY}}]},
        {"kind": "Secret", "stringData": {".dockerconfigjson": json.dumps({"auths": {"r": {"password": CANARY}}})}},
        {"global": {"proxy": {"adminPassword": CANARY}}},
        {"external_services": {"grafana": {"auth": {"password": CANARY}}}},
        ["https://user:" + CANARY + "@mirror/istio"],
        {"source": "https://" + CANARY + "@mirror/istio"},
        {"source": "https://mirror/istio?sig=" + CANARY},
        {"env": [{"name": "DB_PASSWORD", "value": CANARY}]},
        {"metadata": {"annotations": {"x/last-applied-configuration": json.dumps({"token": CANARY})}}},
    ],
)
def test_secrets_are_found_wherever_they_are_given(tree: Any) -> None:
    found = set(secret_values(tree))
    assert CANARY in found
    assert encoded(CANARY) in found or "://" in str(tree)


def test_ordinary_words_of_a_secret_are_not_taken_out_of_all_texts() -> None:
    found = set(secret_values({"kind": "Secret", "stringData": {"username": "postgres", "password": "postgres1"}}))
    assert "postgres" not in found
    assert "postgres1" in found


def test_a_key_is_found_when_one_line_of_it_is_quoted() -> None:
    line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"
    key = f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"
    assert line in set(secret_values({"kind": "Secret", "data": {"tls.key": encoded(key)}}))
