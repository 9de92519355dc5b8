# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Samples of a release by name and by path."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.samples import find_sample, sample_names
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

FILES = [
    "helloworld/helloworld.yaml",
    "helloworld/helloworld-gateway.yaml",
    "sleep/sleep.yaml",
    "bookinfo/platform/kube/bookinfo.yaml",
    "bookinfo/networking/bookinfo-gateway.yaml",
    "addons/kiali.yaml",
    "addons/extras/zipkin.yaml",
    "certs/README.md",
]


@pytest.fixture
def samples(made: MadeRelease) -> MadeRelease:
    for name in FILES:
        made.write(f"samples/{name}", "")
    return made


def files(made: MadeRelease, name: str) -> tuple[list[str], list[str]]:
    sample = find_sample(made.release, name)
    root = made.release.samples
    return tuple([str(path.relative_to(root)) for path in paths] for paths in (sample.manifests, sample.gateways))  # type: ignore[return-value]


def test_by_name(samples: MadeRelease) -> None:
    assert files(samples, "helloworld") == (["helloworld/helloworld.yaml"], ["helloworld/helloworld-gateway.yaml"])
    bookinfo = (["bookinfo/platform/kube/bookinfo.yaml"], ["bookinfo/networking/bookinfo-gateway.yaml"])
    assert files(samples, "bookinfo") == bookinfo
    assert sample_names(samples.release) == ["bookinfo", "helloworld", "sleep"]


def test_the_other_name_of_a_renamed_sample(samples: MadeRelease) -> None:
    assert files(samples, "curl") == (["sleep/sleep.yaml"], [])


def test_by_path(samples: MadeRelease) -> None:
    assert files(samples, "addons/kiali.yaml") == (["addons/kiali.yaml"], [])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nginx", "sample 'nginx' & not found & bookinfo, helloworld, sleep,"),
        ("addons", "several files & addons/extras/zipkin.yaml, addons/kiali.yaml"),
        ("certs", "no manifests"),
        ("../manifests/profiles/demo.yaml", "sample & not found"),
        ("", "sample & not found"),
    ],
)
def test_what_is_no_sample(samples: MadeRelease, name: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_sample(samples.release, name)
    assert has_facts(caught.value.message, sentence)
