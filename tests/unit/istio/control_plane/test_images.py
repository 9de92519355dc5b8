# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a control plane takes its own images from, in the words of Istio's charts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import (
    Configuration,
    Options,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.operator_merge import get_path
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]

HUB, TAG = "docker.io/istio", "1.29.1"
DIGEST = "sha256:" + "ab" * 32


def operator(made: MadeRelease, mirrors: dict[str, str], **more: Any) -> Object:
    """The IstioOperator that istioctl gets."""
    return dict(Configuration(Options(hub=HUB, tag=TAG, mirrors=mirrors, **more), made.release).merged)


@pytest.mark.parametrize("key", ["/", "docker.io/"])
def test_a_mirror_of_all_is_the_hub(made: MadeRelease, key: str) -> None:
    found = operator(made, {key: "registry.example.com/m/"})
    assert get_path(found, "spec.hub") == "registry.example.com/m/istio"
    assert get_path(found, "spec.values.global.proxy.image") is None


def test_digests_are_complete_images(made: MadeRelease) -> None:
    found = operator(made, {f"{HUB}/proxyv2": f"registry.example.com/proxyv2@{DIGEST}"})
    assert get_path(found, "spec.hub") == HUB
    for value in ("proxy", "proxy_init"):
        assert get_path(found, f"spec.values.global.{value}.image") == f"registry.example.com/proxyv2@{DIGEST}"
    assert get_path(found, "spec.values.pilot.image") is None


def test_what_the_charts_say_of_a_profile_is_part_of_the_name(made: MadeRelease) -> None:
    made.write("manifests/charts/base/files/profile-ambient.yaml", "global:\n  variant: distroless\n")
    mirrors = {f"{HUB}/ztunnel:{TAG}-distroless": "registry.example.com/ztunnel:1"}
    found = operator(made, mirrors, values={"profile": "ambient"})
    assert get_path(found, "spec.values.ztunnel.image") == "registry.example.com/ztunnel:1"


def test_an_image_of_the_users_own_is_mirrored_too(made: MadeRelease) -> None:
    values = {"pilot": {"image": "quay.io/me/pilot:2"}}
    found = operator(made, {"quay.io/": "registry.example.com/quay/"}, values=values)
    assert get_path(found, "spec.values.pilot.image") == "registry.example.com/quay/me/pilot:2"


@pytest.mark.parametrize(
    ("hub", "mirrors"),
    [
        ("registry.istio.io/release", {"docker.io/": "registry.example.com/hub/"}),
        ("docker.io/istio", {"registry.istio.io/release/": "registry.example.com/hub/"}),
        ("docker.io/istio", {"quay.io/": "registry.example.com/quay/"}),
    ],
)
def test_mirrors_that_none_of_istios_images_has_are_refused(
    made: MadeRelease, hub: str, mirrors: dict[str, str]
) -> None:
    facts = f"{next(iter(mirrors))} & {hub}/pilot:{TAG} & {hub}/proxyv2:{TAG} & Add {hub}/"
    with pytest.raises(InvalidInput, match=facts_pattern(facts)):
        Configuration(Options(hub=hub, tag=TAG, mirrors=mirrors), made.release)
    for more in ({f"{hub}/": f"{hub}/"}, {"/": "registry.example.com/m/"}, {f"{hub}/pilot": "example.com/pilot"}):
        Configuration(Options(hub=hub, tag=TAG, mirrors={**mirrors, **more}), made.release)


def test_a_registry_of_the_users_own_needs_no_mirror(made: MadeRelease) -> None:
    mirrors = {"quay.io/": "registry.example.com/quay/"}
    Configuration(Options(hub="registry.example.com/istio", tag=TAG, mirrors=mirrors), made.release)


def test_secrets_to_pull_with_are_added_to_those_that_are_there(made: MadeRelease) -> None:
    found = operator(made, {}, pull_secrets=("site",), values={"global": {"imagePullSecrets": ["own"]}})
    assert get_path(found, "spec.values.global.imagePullSecrets") == ["own", "site"]


def test_nothing_is_laid_over_where_nothing_is_asked_for(made: MadeRelease) -> None:
    assert len(Configuration(Options(), made.release).overlays) == 0


def test_a_mirror_that_is_none_is_refused(made: MadeRelease) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("mirrors & 'x y' & docker.io/ & invalid")):
        operator(made, {"docker.io/": "x y"})
