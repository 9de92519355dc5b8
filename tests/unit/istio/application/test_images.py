# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that take the place of those in manifests."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.images import replace_images, with_pull_secrets
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

DIGEST = "sha256:" + "ab" * 32


def deployment(*images: str) -> dict[str, Any]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": containers}},
        },
    }


def images_of(obj: dict[str, Any]) -> list[str]:
    return [container["image"] for container in obj["spec"]["template"]["spec"]["containers"]]


@pytest.mark.parametrize(
    ("image", "replacements", "expected"),
    [
        ("docker.io/library/mysql:5.7", {"docker.io/library/mysql:5.7": "mirror:5000/mysql:8"}, "mirror:5000/mysql:8"),
        ("docker.io/library/mysql:5.7", {"docker.io/library/mysql": "mirror:5000/mysql"}, "mirror:5000/mysql:5.7"),
        ("docker.io/library/mysql:5.7", {"docker.io/library/mysql": "mirror/mysql:8"}, "mirror/mysql:8"),
        ("docker.io/library/mysql:5.7", {"mysql": "mirror/mysql"}, "mirror/mysql:5.7"),
        ("mysql", {"docker.io/library/mysql": "mirror/mysql"}, "mirror/mysql"),
        ("me/shop:1", {"docker.io/me/shop:1": "you/shop:2"}, "you/shop:2"),
        (f"shop:1@{DIGEST}", {"shop": "mirror/shop"}, f"mirror/shop:1@{DIGEST}"),
        (f"shop@{DIGEST}", {f"shop@{DIGEST}": "shop:1"}, "shop:1"),
        ("localhost:5000/shop", {"localhost:5000/shop": "shop:1"}, "shop:1"),
        ("mysql:5.7", {"docker.io/": "mirror.example.com/hub/"}, "mirror.example.com/hub/library/mysql:5.7"),
        ("me/shop:1", {"docker.io/": "mirror/", "docker.io/me/": "ours/"}, "ours/shop:1"),
        ("me/shop:1", {"docker.io/": "mirror/", "me/shop": "ours/shop"}, "ours/shop:1"),
        ("quay.io/me/shop:1", {"docker.io/": "mirror/"}, "quay.io/me/shop:1"),
        ("auto", {"docker.io/": "mirror/"}, "auto"),
        ("quay.io/me/shop:1", {"/": "mirror.example.com/all/"}, "mirror.example.com/all/me/shop:1"),
        ("mysql:5.7", {"/": "mirror.example.com/all/"}, "mirror.example.com/all/library/mysql:5.7"),
        ("mysql:5.7", {"/": "a.example.com/", "docker.io/": "b.example.com/"}, "b.example.com/library/mysql:5.7"),
        ("mirror.example.com/ours/shop:1", {"/": "mirror.example.com/all/"}, "mirror.example.com/ours/shop:1"),
    ],
)
def test_an_image_is_found_by_all_of_its_names(image: str, replacements: dict[str, str], expected: str) -> None:
    assert images_of(replace_images([deployment(image)], replacements)[0]) == [expected]


def test_every_container_of_every_kind_of_workload_is_found_and_nothing_else() -> None:
    pod = {"initContainers": [{"image": "a:1"}], "containers": [{"image": "a:1"}], "volumes": [{"image": "a:1"}]}
    cron = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}
    settings = {"kind": "ConfigMap", "data": {"image": "a:1"}}
    found = replace_images([cron, settings], {"a:1": "b:2"})
    assert found[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"] == {
        "initContainers": [{"image": "b:2"}],
        "containers": [{"image": "b:2"}],
        "volumes": [{"image": "a:1"}],
    }
    assert found[1] == settings
    assert pod["containers"] == [{"image": "a:1"}], "what was given stays as it is"


@pytest.mark.parametrize(
    ("replacements", "said"),
    [
        ({"mysqll": "mirror/mysql"}, "images & mysqll & not found & me/shop:1, mysql:5.7"),
        ({"mysql:5.6": "mysql:8"}, "images & mysql:5.6 & not found & me/shop:1, mysql:5.7"),
        ({"mysql": ""}, "images & '' & mysql & invalid"),
        ({"mysql": "my sql"}, "images & 'my sql' & mysql & invalid"),
        ({"docker.io/": "mirror"}, "images & 'mirror' & docker.io/ & invalid"),
        ({"mysql": "mirror/"}, "images & 'mirror/' & mysql & invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused(replacements: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match="images") as caught:
        replace_images([deployment("mysql:5.7", "me/shop:1")], replacements)
    assert has_facts(caught.value.message, said)


def test_a_mirror_may_fit_no_image() -> None:
    assert images_of(replace_images([deployment("quay.io/a:1")], {"docker.io/": "mirror/"})[0]) == ["quay.io/a:1"]


def test_a_site_may_name_images_that_a_manifest_does_not_have() -> None:
    mirrors = {"quay.io/b:1": "ours/b:1", "docker.io/": "mirror/"}
    (found,) = replace_images([deployment("a:1", "c:1")], {"a:1": "mine/a:2"}, mirrors)
    assert images_of(found) == ["mine/a:2", "mirror/library/c:1"]
    with pytest.raises(InvalidInput, match=facts_pattern("mirrors & 'mirror' & docker.io/")):
        replace_images([deployment("a:1")], {}, {"docker.io/": "mirror"})


def test_pods_keep_the_secrets_that_they_pull_with() -> None:
    given = deployment("a:1")
    given["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "own"}]
    (found, settings) = with_pull_secrets([given, {"kind": "ConfigMap", "data": {}}], ["site", "own"])
    assert found["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "own"}, {"name": "site"}]
    assert settings == {"kind": "ConfigMap", "data": {}}


# --- the option ----------------------------------------------------------------------------------------------------


def test_an_application_is_applied_with_other_images(api: ApiServer, on_api: Run) -> None:
    on_api("application", name="shop", definition=[deployment("a:1")], images={"a": "mirror/a"}, wait=False)
    assert images_of(next(one for one in api.objects if one["kind"] == "Deployment")) == ["mirror/a:1"]


def test_an_unknown_image_is_refused_before_the_first_write(api: ApiServer, on_api: Run) -> None:
    result = on_api("application", name="shop", definition=[deployment("a:1")], images={"b": "mirror/b"})
    assert (result["code"], api.writes) == ("invalid_input", [])


@pytest.mark.parametrize("had", [[{"name": {"a": "b"}}], ["x"], "x", {"name": "x"}])
def test_pull_secrets_of_a_custom_resource_may_be_anything(had: Any) -> None:
    custom = {"apiVersion": "example.com/v1", "kind": "Runner", "metadata": {"name": "a"}}
    pod = {"containers": [{"name": "a", "image": "a:1"}], "imagePullSecrets": had}
    [found] = with_pull_secrets([{**custom, "spec": {"template": pod}}], ["mirror"])
    expected = [*had, {"name": "mirror"}] if isinstance(had, list) else had
    assert found["spec"]["template"]["imagePullSecrets"] == expected
