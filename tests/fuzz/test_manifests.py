# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests with ordinary mistakes: read, planned and applied, or refused in one sentence."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.writer import write_yaml
from ansible_collections.meshops.istio.tests.fuzz.conftest import Try
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken
from ansible_collections.meshops.istio.tests.fuzz.running import OddMesh, cluster_of
from ansible_collections.meshops.istio.tests.fuzz.valid import MANIFESTS
from hypothesis import strategies as st

_FEW = st.lists(st.sampled_from(MANIFESTS), min_size=1, max_size=3).map(copy.deepcopy)


def test_an_application_of_mistaken_manifests(attempt: Try) -> None:
    def check(given: tuple[list[Any], bool, dict[str, str], list[str]]) -> None:
        definition, dry, images, secrets = given
        more = {"images": images, "pull_secrets": secrets, "create_namespaces": True, "wait": False}
        attempt(
            cluster_of(OddMesh()),
            "application",
            name="shop",
            namespace="shop",
            definition=definition,
            check=dry,
            diff=True,
            **more,
        )

    images = st.sampled_from([{}, {"example.com/shop/web": "other/web:2"}])
    given = st.tuples(mistaken(_FEW), st.booleans(), images, st.sampled_from([[], ["registry"]]))
    fuzz("manifests given to application", given, check, share=0.10)


def test_an_application_that_is_changed(attempt: Try) -> None:
    def check(given: tuple[list[Any], list[Any]]) -> None:
        cluster = cluster_of(OddMesh())
        for definition in given:
            attempt(
                cluster,
                "application",
                name="shop",
                namespace="shop",
                definition=definition,
                wait=False,
                create_namespaces=True,
            )

    one = st.sampled_from(MANIFESTS).map(lambda obj: [copy.deepcopy(obj)])
    fuzz(
        "manifests applied over others",
        one.flatmap(lambda old: st.tuples(st.just(old), mistaken(old))),
        check,
        share=0.04,
    )


def test_texts_of_mistaken_manifests() -> None:
    def check(mistakes: Any) -> None:
        # A list that lost all its items may have become something else.
        objects = mistakes if isinstance(mistakes, list) else [mistakes]
        for text in (write_yaml(objects), json.dumps(objects), "\n".join(map(json.dumps, objects))):
            sentence(lambda text=text: read_manifests(text, "a.yaml"))  # type: ignore[misc]

    fuzz("texts of manifests", mistaken(_FEW), check, share=0.04)
