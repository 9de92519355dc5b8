# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of files as kubectl reads it: encodings, byte-order marks, line ends, and sentences for what is no text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.overlays import read_overlays
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import kubeconfig
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml import text_encoding
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.text_encoding import decode, read_text
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_sources
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

MANIFEST = 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: exported\r\ndata:\r\n  greeting: "grüß 🚀"\r\n'
OVERLAY = "apiVersion: install.istio.io/v1alpha1\r\nkind: IstioOperator\r\nspec:\r\n  hub: grüß\r\n"
KUBECONFIG = (
    "clusters:\r\n- {name: one, cluster: {server: 'https://grüß.example.com'}}\r\n"
    "contexts:\r\n- {name: dev, context: {cluster: one, user: me}}\r\nusers: []\r\n"
)
ENCODINGS = {
    "utf-8": lambda written: written.encode(),
    "utf-8 with a mark": lambda written: written.encode("utf-8-sig"),
    "utf-16 little-endian": lambda written: b"\xff\xfe" + written.encode("utf-16-le"),
    "utf-16 big-endian": lambda written: b"\xfe\xff" + written.encode("utf-16-be"),
}
each_encoding = pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)


@each_encoding
def test_manifests_overlays_and_kubeconfigs_are_read_in_each_encoding(encode: object, tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    assert callable(encode)
    file.write_bytes(encode(MANIFEST))
    [manifest] = read_sources([str(file)], timeout=1)
    assert manifest["data"] == {"greeting": "grüß 🚀"}

    file.write_bytes(encode(OVERLAY))
    [overlay] = read_overlays([str(file)])
    assert overlay.document["spec"] == {"hub": "grüß"}
    assert '"hub":"grüß"' in overlay.for_istioctl

    file.write_bytes(encode(KUBECONFIG))
    assert kubeconfig.contexts(str(file)) == {"dev": "https://grüß.example.com"}


@each_encoding
def test_files_may_be_concatenated_with_their_marks(encode: object, tmp_path: Path) -> None:
    assert callable(encode)
    file = tmp_path / "both.yaml"
    file.write_bytes(encode(MANIFEST) + encode("---\r\n") + encode(MANIFEST))
    assert len(read_sources([str(file)], timeout=1)) == 2


def test_a_text_that_was_read_elsewhere_may_have_marks_too() -> None:
    [manifest] = read_sources([{"source": "a.yaml", "text": f"\ufeff---\r\n\ufeff{MANIFEST}"}], timeout=1)
    assert manifest["metadata"]["name"] == "exported"


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ("a: 1\nb: grüß\n".encode("latin-1"), ("a.yaml, line 2", "0xfc", "UTF-8")),
        (b"\xff\xfea\x00\n\x00b", ("a.yaml, line 2", "UTF-16")),
        ("a: grüß 🚀".encode("utf-16-le"), ("UTF-16", "without a byte-order mark", "Save it as UTF-8")),
        ("a: b".encode("utf-32"), ("UTF-32", "Save it as UTF-8")),
        (b"\x1f\x8b\x08\x00\x01", ("gzip", "Unpack")),
    ],
)
def test_what_is_no_text_is_refused_with_encoding_and_line(data: bytes, facts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(data, "a.yaml")
    assert all(fact in caught.value.message for fact in facts)
    assert caught.value.code == "invalid_input"


def test_a_file_that_is_too_long_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_encoding, "LIMIT", 1024 * 1024)
    (tmp_path / "long.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(InvalidInput, match=facts_pattern("long.yaml & too long & 1 MiB")):
        read_text(tmp_path / "long.yaml")


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("manifest & /no.yaml & not found")):
        read_text(tmp_path / "no.yaml", "manifest")
    with pytest.raises(InvalidInput, match=facts_pattern("manifest & cannot be read: Is a directory")):
        read_text(tmp_path, "manifest")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_text("a\0b")


def test_a_kubeconfig_that_cannot_be_read_names_the_line_and_quotes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("users:\n- name: me\n  user: {token: *s3cret}\n")
    with pytest.raises(InvalidInput, match="line 3") as caught:
        kubeconfig.contexts(str(file))
    assert "s3cret" not in caught.value.message
