# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that would take all memory or end the process: refused in one sentence, without either."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n"
OPERATOR = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n"


def aliases(levels: int, indent: str = "") -> str:
    lines = [f"{indent}a0: &a0 [{', '.join('x' * 9)}]"]
    lines += [f"{indent}a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


MANIFESTS = {
    "aliases-8": (f"{HEAD}x:\n{aliases(8, '  ')}", "aliasing"),
    "aliases-10": (f"{HEAD}x:\n{aliases(10, '  ')}", "aliasing"),
    "aliases-merged": (
        f"{HEAD}m0: &m0 {{a: b}}\n"
        + "".join(f"m{n}: &m{n} {{x: *m{n - 1}, y: *m{n - 1}, <<: *m{n - 1}}}\n" for n in range(1, 40)),
        "aliasing",
    ),
    "flow-10-000": (f"{HEAD}x: {'[' * 10_000}", "deep"),
    "flow-200-000": ("[" * 200_000, "deep"),
    "json-100-000": ('{"a":' * 100_000, "deep"),
    "block-2-000": (f"{HEAD}" + "".join(" " * n + "a:\n" for n in range(2000)), "deep"),
    "sequences-100-000": (HEAD + "x:\n  " + "- " * 100_000, "deep"),
    "itself": ("apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a, self: *m}\n", "itself"),
}


def _grown(before: int) -> int:
    """Megabytes by which this process has been larger than before."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024


@pytest.mark.parametrize("case", MANIFESTS)
@pytest.mark.parametrize("given", ["file", "definition"])
@pytest.mark.step("yaml 07", "aliases that multiply, deep nesting, an anchor in itself")
def test_manifests(case: str, given: str, refused: Run, namespace: str, tmp_path: Path, seen: Seen) -> None:
    text, fact = MANIFESTS[case]
    file = tmp_path / "manifest.yaml"
    file.write_text(text)
    source: dict[str, Any] = {"src": [str(file)]} if given == "file" else {"definition": [text]}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failed = refused("application", name="yaml", namespace=namespace, **source)
    grown = _grown(before)
    assert failed["code"] == "invalid_input"
    assert fact in failed["msg"]
    assert "line" in failed["msg"]
    assert grown < 200
    seen(f"{case} as {given}: {failed['msg'].replace(str(file), 'FILE')} ({grown} MB)")


@pytest.mark.step("yaml 07", "the same in an overlay and in a kubeconfig")
def test_overlays_and_kubeconfigs(refused: Run, tmp_path: Path, seen: Seen) -> None:
    overlay, config = tmp_path / "overlay.yaml", tmp_path / "config"
    overlay.write_text(OPERATOR + aliases(10, "  "))
    config.write_text("clusters: " + "[" * 50_000)
    first = refused("control_plane", version="1.29.1", source=str(tmp_path), overlays=[str(overlay)])["msg"]
    second = refused("cluster_info", kubeconfig=str(config))["msg"]
    assert "not valid YAML" in second
    seen(f"{first.replace(str(tmp_path), '')} / {second.replace(str(tmp_path), '')}")
