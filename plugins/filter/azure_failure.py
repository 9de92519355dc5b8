# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.azure_failure): format an error of Azure as one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.redaction import redacted_text

DOCUMENTATION = r"""
name: azure_failure
short_description: Format an error of Azure as one sentence, with a remedy
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Reads the result of a failed task of the collection C(azure.azcollection), which may contain a traceback.
positional: _input, task
options:
  _input:
    description: The result of the task, as in C(ansible_failed_result) or a registered variable.
    type: dict
    required: true
  task:
    description: The operation that failed, as the start of the sentence.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the error
  ansible.builtin.fail:
    msg: "{{ ansible_failed_result | meshops.istio.azure_failure('Creating the cluster shop') }}"
  # Creating the cluster shop failed: the quota of the region or subscription is used up (Insufficient vcpu quota
  # requested 64, remaining 20 for location westeurope). Choose fewer or smaller nodes or another region, or request
  # more quota.
"""

RETURN = r"""
_value:
  description: The error as one sentence.
  type: str
"""

_LOGIN = "AZURE_SUBSCRIPTION_ID, AZURE_CLIENT_ID, AZURE_SECRET and AZURE_TENANT"

# A pattern of the error of Azure or its libraries, the reason, and the remedy. The first match counts.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"Failed to get credentials|did not include a subscription_id|Some attributes were missing",
        "there are no credentials for Azure",
        f"set {_LOGIN}, or run az login",
    ),
    (
        r"AADSTS7000222|AADSTS700082|AADSTS50173|ExpiredAuthenticationToken",
        "the credentials for Azure have expired",
        "renew the application's secret, or run az login again",
    ),
    (
        r"AADSTS\d+|InvalidAuthenticationToken|ClientAuthenticationError",
        "Azure does not accept the credentials",
        f"check {_LOGIN}, or run az login again",
    ),
    (
        r"SubscriptionNotFound|InvalidSubscriptionId|MissingSubscription",
        "the subscription was not found, or these credentials have no access to it",
        "check AZURE_SUBSCRIPTION_ID",
    ),
    (
        r"AuthorizationFailed|LinkedAuthorizationFailed|RoleAssignmentUpdateNotPermitted",
        "forbidden",
        "assign the role Contributor to these credentials, on the resource group or the subscription",
    ),
    (
        r"LocationNotAvailable|NoRegisteredProviderFound|cannot be moved|InvalidResourceGroupLocation",
        "the region is not available",
        "choose another with cluster_aks_location",
    ),
    (
        r"[Qq]uota|SkuNotAvailable|AllocationFailed",
        "the quota of the region or subscription is used up",
        "choose fewer or smaller nodes or another region, or request more quota",
    ),
    (
        r"K8sVersionNotSupported|[Uu]nsupported kubernetes version",
        "this Kubernetes version is not available in the region",
        "choose another with cluster_kubernetes_version",
    ),
    (
        r"TooManyRequests|Throttl|too many 429|\b429\b",
        "too many requests for this subscription",
        "run it again in a few minutes",
    ),
    (
        r"OperationNotAllowed|AnotherOperationInProgress|Conflict|\(409\)",
        "another operation is in progress",
        "run it again when it has ended",
    ),
    (
        r"RequestDisallowedByPolicy",
        "a policy of the subscription forbids it",
        "ask the administrators of the policies for an exemption",
    ),
    (
        r"Max retries exceeded|Connection refused|Name or service not known|ServiceRequestError|timed out",
        "Azure cannot be reached",
        "check the network and the proxy",
    ),
)
_MESSAGE = re.compile(r"^Message: (?P<message>.+)$", re.MULTILINE)
_CODED = re.compile(r"\((?P<code>[A-Za-z_]\w{5,})\) (?P<message>[^\n]+)")
_STATUS = re.compile(r"AADSTS\d+: [^\n.]+")
_WHERE = ("msg", "exception", "module_stderr", "module_stdout", "stderr")


def azure_failure(result: Mapping[str, Any], task: str) -> str:
    """Format the error as one sentence: the failed operation, the reason with Azure's own message, and the remedy."""
    text = redacted_text("\n".join(str(result[key]) for key in _WHERE if result.get(key)))
    message = _message(text)
    for pattern, reason, remedy in _KNOWN:
        if re.search(pattern, text):
            return f"{task} failed: {reason}{f' ({message})' if message else ''}. {remedy[0].upper()}{remedy[1:]}."
    other = redacted_text(str(result.get("msg") or "unknown reason")).splitlines()[0].rstrip(".")
    return f"{task} failed: {message or other}."


def _message(text: str) -> str:
    """Return the message of Azure on one line, without the final full stop."""
    for pattern in (_MESSAGE, _CODED, _STATUS):
        match = pattern.search(text)
        if match:
            message = match.groupdict().get("message") or match.group()
            return " ".join(message.replace("\\n", " ").split()).rstrip(" .\"'")
    return ""


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"azure_failure": azure_failure}
