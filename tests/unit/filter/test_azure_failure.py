# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure refuses, as one sentence."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.filter.azure_failure import azure_failure
from ansible_collections.meshops.istio.tests.support.messages import has_facts


@pytest.mark.parametrize(
    ("msg", "facts"),
    [
        (
            "Failed to get credentials. Either pass as parameters, set environment variables, or log in.",
            "no credentials for Azure & set AZURE_SUBSCRIPTION_ID & az login",
        ),
        (
            "Authentication failed: AADSTS7000222: The provided client secret keys for app are expired. Trace ID: 1",
            "expired & AADSTS7000222: The provided client secret keys for app are expired & renew",
        ),
        (
            "(AuthorizationFailed) The client 'me' does not have authorization.\nCode: AuthorizationFailed\n"
            "Message: The client 'me' does not have authorization.",
            "forbidden & The client 'me' does not have authorization & role Contributor",
        ),
        (
            "(TooManyRequests) The request is being throttled.",
            "too many requests & The request is being throttled & a few minutes",
        ),
        (
            "HTTPSConnectionPool(host='management.azure.com', port=443): Max retries exceeded with url: /",
            "cannot be reached & the network and the proxy",
        ),
    ],
)
def test_a_known_error_has_a_reason_and_a_remedy(msg: str, facts: str) -> None:
    failed = azure_failure({"msg": msg}, "Creating the cluster")
    assert failed.startswith("Creating the cluster failed: ")
    assert has_facts(failed, facts)


def test_an_unknown_error_is_quoted() -> None:
    said = "(SomethingNew) It is\nnot to be.\nCode: SomethingNew\nMessage: It is not to be."
    assert azure_failure({"msg": said}, "Creating it") == "Creating it failed: It is not to be."
    assert azure_failure({"msg": "No reason.\nAt all."}, "Creating it") == "Creating it failed: No reason."


def test_a_traceback_is_not_shown() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py"\nE: (QuotaExceeded) No more cores here.\n'
    failed = azure_failure({"msg": "MODULE FAILURE", "exception": traceback}, "Creating it")
    assert "Traceback" not in failed
    assert has_facts(failed, "Creating it failed & quota & used up & No more cores here")
