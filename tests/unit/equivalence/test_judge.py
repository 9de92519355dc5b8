# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When two installs count as equal: refusals, a second run, and the differences that are meant to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.labels import OWNER_NAME
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.tests.equivalence import cases
from ansible_collections.meshops.istio.tests.equivalence.installers import install_arguments
from ansible_collections.meshops.istio.tests.equivalence.run import chosen, judge
from ansible_collections.meshops.istio.tests.equivalence.sides import Result

Object = dict[str, Any]


def an_object(kind: str, name: str, *, owner: str = "unknown", **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {OWNER_NAME: owner}}, **more}


def left(*objects: Object, again: list[dict[str, str]] | None = None) -> Result:
    return Result({key_of(obj): obj for obj in objects}, again=again or [])


def scaled(replicas: int) -> list[Object]:
    hpa = an_object("HorizontalPodAutoscaler", "istiod", spec={"scaleTargetRef": {"name": "istiod"}})
    return [an_object("Deployment", "istiod", spec={"replicas": replicas}), hpa]


def test_the_same_objects_are_equal() -> None:
    verdict = judge(left(an_object("ConfigMap", "istio")), left(an_object("ConfigMap", "istio")))
    assert verdict.equal
    assert verdict.words == "1 objects"


def test_something_to_change_a_second_time_is_not_equal() -> None:
    again = [{"kind": "ConfigMap", "name": "istio", "action": "update"}]
    assert judge(left(), left(again=again)).wrong == ["ConfigMap istio: update once more"]


def test_replicas_that_an_hpa_chooses_may_differ() -> None:
    verdict = judge(left(*scaled(1)), left(*scaled(3)))
    assert verdict.equal
    assert [reason.partition(":")[0] for reason in verdict.meant] == ["replicas"]


def test_replicas_without_an_hpa_may_not() -> None:
    assert not judge(left(scaled(1)[0]), left(scaled(3)[0])).equal


def test_a_crd_may_stay_only_after_a_move() -> None:
    crd = an_object("CustomResourceDefinition", "gateways.networking.istio.io")
    assert judge(left(), left(crd), move=True).equal
    assert not judge(left(), left(crd)).equal
    assert not judge(left(crd), left(), move=True).equal


def test_what_another_owner_had_may_stay_only_after_a_move() -> None:
    kept, ours = an_object("ConfigMap", "old"), an_object("ConfigMap", "istio", owner="production")
    assert judge(left(ours), left(ours, kept), move=True).equal
    assert not judge(left(ours), left(ours, kept)).equal
    assert not judge(left(ours, an_object("Secret", "s")), left(ours, kept, an_object("Secret", "s")), move=True).equal


@pytest.mark.parametrize(
    ("label", "equal"), [({"name": "mesh"}, True), ({"name": "other"}, False), ({"team": "mesh"}, False)]
)
def test_the_label_that_helm_gives_a_namespace_may_stay(label: dict[str, str], equal: bool) -> None:
    theirs, ours = an_object("Namespace", "mesh"), an_object("Namespace", "mesh")
    ours["metadata"]["labels"] |= label
    assert judge(left(theirs), left(ours), move=True).equal is equal


@pytest.mark.parametrize(
    ("theirs", "ours", "refused", "equal"),
    [
        ("no", "no", True, True),
        ("no", "no", None, True),
        ("no", "no", False, False),  # an input that should install
        ("no", "", True, False),
        ("", "no", None, False),
        ("", "", True, False),
        ("", "", None, True),
    ],
)
def test_what_istioctl_refuses_is_refused(theirs: str, ours: str, refused: bool | None, equal: bool) -> None:
    assert judge(Result(refused=theirs), Result(refused=ours), refused=refused).equal is equal


def test_a_file_is_compared_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.touch()
    wanted, moves = chosen(["default"], {"INPUT": str(path)})
    assert [(one.name, one.options, one.refused) for one in wanted] == [("mine", {"overlays": [str(path)]}, None)]
    assert moves == []


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"INPUT=nowhere\.yaml is no file"):
        chosen([], {"INPUT": "nowhere.yaml"})


def test_each_input_has_a_name_of_its_own() -> None:
    names = [one.name for one in chosen(["default", "demo"], {})[0]]
    assert len(names) == len(set(names))
    assert {"profile default", "profile demo, revision canary"} <= set(names)


def test_moves_start_and_end_at_inputs_of_their_names() -> None:
    wanted, moves = chosen(["default", "demo", "minimal", "ambient", "empty"], {})
    known = {one.name: one for one in wanted}
    own = [one for one in [*moves, *cases.SHORT_MOVES] if not one.before.by]
    assert all(known[one.name] == one for move in own for one in (move.before, move.after))
    assert all(known[move.after.name] == move.after for move in moves)
    assert all(known[one.name] == one for one in cases.SHORT)


def test_options_become_arguments_of_istioctl(tmp_path: Path) -> None:
    options = {
        "overlays": ["a.yaml", {"spec": {"profile": "demo"}}],
        "values": {"pilot": {"traceSampling": 7}},
        "revision": "canary",
        "namespace": "mesh",
        "set": {"meshConfig.enableTracing": True},
    }
    arguments = install_arguments(options, tmp_path)
    files, flags = arguments[:6], arguments[6:]
    assert files == ["--filename", "a.yaml", "--filename", f"{tmp_path}/1.yaml", "--filename", f"{tmp_path}/2.yaml"]
    assert "traceSampling" in (tmp_path / "2.yaml").read_text()
    assert flags == [
        "--set",
        "revision=canary",
        "--set",
        "values.global.istioNamespace=mesh",
        "--set",
        "meshConfig.enableTracing=true",
    ]
