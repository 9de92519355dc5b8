# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts as people's editors and programs write them: read as kubectl reads them, and applied as they are meant."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

CONFIG_MAP = Kind("v1", "ConfigMap")
TEXT = 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: {name}\r\ndata:\r\n  greeting: "grüß 🚀"\r\n'
ONE, TWO = TEXT.format(name="one"), TEXT.format(name="two")
OBJECTS = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"greeting": "grüß 🚀"}}
    for name in ("one", "two")
]

FILES: dict[str, bytes] = {
    "utf-16-le": b"\xff\xfe" + ONE.encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + ONE.encode("utf-16-be"),
    "utf-8-marks-between-files": f"\ufeff{ONE}---\r\n\ufeff{TWO}".encode(),
    "utf-16-files-concatenated": b"\xff\xfe" + f"{ONE}---\r\n\ufeff{TWO}".encode("utf-16-le"),
    "mark-before-the-first-separator": f"\ufeff---\n{ONE}".encode(),
    "json-with-surrogate-pairs": json.dumps(OBJECTS[0]).encode(),
    "json-concatenated": "\n".join(map(json.dumps, OBJECTS)).encode(),
    "json-of-several-lines-and-separators": "\n---\n".join(json.dumps(one, indent=2) for one in OBJECTS).encode(),
    "json-list-with-a-mark": b"\xef\xbb\xbf"
    + json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}).encode(),
}


@pytest.fixture
def lax(cluster: Cluster) -> Iterator[Kind]:
    """A kind whose spec may hold anything, as those of EnvoyFilter do."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    spec = {
        "group": "text.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Lax", "plural": "laxes", "singular": "lax", "listKind": "LaxList"},
        "versions": [version],
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "laxes.text.example.com"},
        "spec": spec,
    }
    cluster.learn([definition])
    cluster.apply(definition, manager="tests")
    wait_ready(cluster, [key_of(definition)], timeout=60, progress=silent)
    yield Kind("text.example.com/v1", "Lax")
    cluster.delete(Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "laxes.text.example.com")


@pytest.mark.parametrize("written", FILES)
@pytest.mark.step("text 01", "manifests in the encodings and forms of editors, PowerShell, jq and Java")
def test_files(written: str, run: Run, idle: Run, namespace: str, cluster: Cluster, tmp_path: Path, seen: Seen) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_bytes(FILES[written])
    shop: dict[str, Any] = {"name": "text", "namespace": namespace, "src": [str(file)]}
    applied = run("application", **shop)
    for change in applied["changes"]:
        stored = cluster.get(CONFIG_MAP, change["name"], namespace)
        assert stored is not None
        assert stored["data"] == {"greeting": "grüß 🚀"}
    idle("application", **shop)
    seen(f"{written}: {len(applied['changes'])} stored as meant, and nothing to change afterwards")


SCALARS = [
    "0o640",
    "0640",
    "0x1F",
    "0b101",
    "1e3",
    "1E3",
    "1.5e3",
    "1e+06",
    "08",
    "007",
    "1_000",
    ".5",
    "5.",
    "+1",
    "1.0",
    "1.10",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "Y",
    "N",
    "true",
    "~",
    "null",
    "1:30",
    "2024-01-01",
    "12:30:45",
    "0o8",
    "0b2",
    "0x",
    "1e",
    "-0o17",
    "0O17",
    "1._5",
    "685.230_15e+03",
    "18446744073709551616",
    "1e400",
    "=",
    "1,000",
    "a",
]


@pytest.mark.step("text 04", "numbers and booleans, compared with what kubectl stores of the same file")
def test_scalars(
    run: Run, idle: Run, namespace: str, cluster: Cluster, lab: Lab, tmp_path: Path, seen: Seen, lax: Kind
) -> None:
    lines = "".join(f"  v{number}: {scalar}\n" for number, scalar in enumerate(SCALARS))
    text = f"apiVersion: {lax.api_version}\nkind: {lax.kind}\nmetadata: {{name: NAME}}\nspec:\n{lines}"
    ours, theirs = tmp_path / "ours.yaml", tmp_path / "theirs.yaml"
    ours.write_text(text.replace("NAME", "ours"))
    theirs.write_text(text.replace("NAME", "theirs"))
    run("application", name="text", namespace=namespace, src=[str(ours)])
    kubectl = ["kubectl", "--kubeconfig", lab.kubeconfig, "apply", "--server-side", "-n", namespace, "-f", str(theirs)]
    subprocess.run(kubectl, check=True, capture_output=True, timeout=60)
    stored = [cluster.get(lax, name, namespace) for name in ("ours", "theirs")]
    assert stored[0] is not None
    assert stored[1] is not None
    # kubectl sends null, which is nothing to an apply.
    values = [{name: value for name, value in one["spec"].items() if value is not None} for one in stored if one]
    assert values[0] == values[1]
    idle("application", name="text", namespace=namespace, src=[str(ours)])
    seen(f"{len(SCALARS)} scalars are stored as kubectl stores them")


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ("a: 1\nb: grüß\n".encode("latin-1"), ("line 2", "UTF-8", "0xfc")),
        (ONE.encode("utf-16-le"), ("UTF-16", "byte-order mark")),
        (ONE.encode("utf-32"), ("UTF-32",)),
        (b"\x1f\x8b\x08\x00", ("gzip",)),
    ],
)
@pytest.mark.step("text 01", "what is no text is refused with encoding, file and line")
def test_other_encodings(
    data: bytes, facts: tuple[str, ...], refused: Run, namespace: str, tmp_path: Path, seen: Seen
) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_bytes(data)
    message = refused("application", name="text", namespace=namespace, src=[str(file)])["msg"]
    assert str(file) in message
    assert all(fact in message for fact in facts)
    seen(message.replace(str(file), "FILE"))


@pytest.mark.parametrize(
    "encode", [lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16")], ids=["utf-8", "utf-16"]
)
@pytest.mark.step("text 01", "a kubeconfig with a byte-order mark")
def test_kubeconfigs(encode: Callable[[str], bytes], run: Run, lab: Lab, tmp_path: Path, seen: Seen) -> None:
    file = tmp_path / "config"
    file.write_bytes(encode(Path(lab.kubeconfig).read_text(encoding="utf-8")))
    version = run("cluster_info", kubeconfig=str(file))["kubernetes"]
    seen(f"the cluster is found, Kubernetes {version}")
