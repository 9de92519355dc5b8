# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure refuses, as one sentence."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.filter.azure_failure import azure_failure


@pytest.mark.parametrize(
    ("msg", "meaning"),
    [
        (
            "Failed to get credentials. Either pass as parameters, set environment variables, or log in.",
            "there is no login to Azure; set AZURE_SUBSCRIPTION_ID",
        ),
        (
            "Authentication failed: AADSTS7000222: The provided client secret keys for app are expired. Trace ID: 1",
            "the login to Azure has expired (AADSTS7000222: The provided client secret keys for app are expired); renew",
        ),
        (
            "(AuthorizationFailed) The client 'me' does not have authorization.\nCode: AuthorizationFailed\n"
            "Message: The client 'me' does not have authorization.",
            "the login may not do that (The client 'me' does not have authorization); give it the role Contributor",
        ),
        (
            "(TooManyRequests) The request is being throttled.",
            "Azure is asked too much by this subscription (The request is being throttled); wait a few minutes",
        ),
        (
            "HTTPSConnectionPool(host='management.azure.com', port=443): Max retries exceeded with url: /",
            "Azure does not answer; check the network and the proxy",
        ),
    ],
)
def test_what_is_known_is_explained(msg: str, meaning: str) -> None:
    assert azure_failure({"msg": msg}, "Making the cluster").startswith(f"Making the cluster failed: {meaning}")


def test_what_is_not_known_is_said_in_azures_words() -> None:
    said = "(SomethingNew) It is\nnot to be.\nCode: SomethingNew\nMessage: It is not to be."
    assert azure_failure({"msg": said}, "Making it") == "Making it failed: It is not to be."
    assert azure_failure({"msg": "No reason.\nAt all."}, "Making it") == "Making it failed: No reason."


def test_a_traceback_is_read_and_not_shown() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py"\nE: (QuotaExceeded) No more cores here.\n'
    failed = azure_failure({"msg": "MODULE FAILURE", "exception": traceback}, "Making it")
    assert "Traceback" not in failed
    assert failed.startswith(
        "Making it failed: the quota of the region or subscription is used up (No more cores here);"
    )
