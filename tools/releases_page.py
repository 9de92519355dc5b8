# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the page of Istio's releases from the collection's data about them. With --check, only compare."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release_data import REGISTRIES, RELEASES, Row
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.security_bulletins import BULLETINS, LOOKED_UP
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.versions import version_key

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/docsite/rst/reference_releases.rst"
RESULTS = ROOT / "tests/versions/results.yml"
_PERMISSIONS = ":ref:`Permissions <ansible_collections.meshops.istio.docsite.reference_permissions>`"

INTRODUCTION = """\
.. _ansible_collections.meshops.istio.docsite.reference_releases:

Istio releases
==============

Check the release of a mesh, and refuse one that is out of support or has a known vulnerability:

.. code-block:: console

    $ ansible-playbook meshops.istio.verify -e @mesh.yml -e mesh_security=strict
    ...
      control plane  1.29.1  revision default  healthy
      error          Istio 1.29.1 is out of support since 2026-10-12 and gets no security fixes. Upgrade to 1.30.8 or 1.31.4.

``mesh_security`` is ``warn`` by default: ``meshops.istio.site``, ``plan``, ``precheck`` and ``verify`` show warnings, and the
reports have them. With ``strict`` they fail, before the first write. ``ignore`` checks nothing. ``mesh_end_of_life_days`` is
how long before the end of life to warn.

Newer data
----------

The data is part of the collection. Lay newer data over it, from a file next to the playbook:

.. code-block:: yaml

    # mesh.yml
    mesh_release_data: [releases.yml]

.. code-block:: yaml

    # releases.yml
    releases:
      '1.31': {newest: 1.31.5, end_of_life: 2027-03-01, estimated: false}
    bulletins:
      ISTIO-SECURITY-2027-001:
        published: 2027-01-12
        affected:
          - {from: 1.31.0, fixed: 1.31.5}
          - {before: 1.31.0}
    registries:
      registry.example.com/istio: {retired: 2027-06, replacement: docker.io/istio}

To accept a bulletin, write that it affects nothing:

.. code-block:: yaml

    mesh_release_data:
      - bulletins:
          ISTIO-SECURITY-2026-006: {published: 2026-08-26, affected: []}

A release newer than the data is treated as the newest one in it, with a warning. One older than all of it is refused unless
``mesh_ignore_version_check`` is set.
"""
END = "``make docs`` writes this page from ``plugins/module_utils/istio/release``."


def page() -> str:
    """Return the page."""
    rows = sorted(RELEASES.items(), key=lambda item: version_key(item[0]), reverse=True)
    looked_up = max(row["looked_up"] for row in RELEASES.values())
    parts = [
        INTRODUCTION,
        _heading("Releases"),
        f"As of {looked_up}; what was not found is unknown. Sources: {_sources(RELEASES.values())}.\n",
        _table(
            ("Istio", "Kubernetes", "released", "end of life", "newest patch", "Gateway API", "Envoy", "registry"),
            (
                (
                    minor,
                    row["kubernetes"].replace("-", " to "),
                    row["released"],
                    f"about {row['end_of_life']}" if row["estimated"] and row["end_of_life"] else row["end_of_life"],
                    row["newest"],
                    row["gateway_api"],
                    row["envoy"],
                    row["hub"],
                )
                for minor, row in rows
            ),
        ),
        *_tested(),
        _heading("Retired registries"),
        _table(
            ("registry", "retired", "replacement"),
            ((hub, row["retired"], row["replacement"]) for hub, row in REGISTRIES.items()),
        ),
        _heading("Security bulletins"),
        f"From https://istio.io/latest/news/security/, as of {LOOKED_UP}. Bulletins that no release fixes are left out.\n",
        _table(
            ("bulletin", "published", "affected", "fixed in"),
            ((number, row["published"], *_affected(row)) for number, row in sorted(BULLETINS.items(), reverse=True)),
        ),
        END,
    ]
    return "\n".join(parts) + "\n"


def _tested() -> list[str]:
    rows = yaml.safe_load(RESULTS.read_text(encoding="utf-8"))
    steps = list(dict.fromkeys(step for row in rows for step in row["steps"]))
    return [
        _heading("Tested"),
        "On a node with real sidecars: the profile demo and an application are installed, installed again, verified, asked "
        "through the\ngateway, given addons, installed again and uninstalled, by an account that has these permissions and no "
        f"others:\n{_PERMISSIONS}. Istio is built from the commit that is named.\n",
        _table(
            ("Istio", "commit", "Kubernetes", "date", *(step.replace("_", " ") for step in steps)),
            (
                (
                    *(row["istio"], row["module"][-12:], row["kubernetes"], row["date"]),
                    *(row["steps"].get(step, "not run") for step in steps),
                )
                for row in rows
            ),
        ),
    ]


def _affected(row: Row) -> tuple[str, str]:
    ranges = row["affected"]
    older = [f"before {one['before']}" for one in ranges if "before" in one]
    fixed = [one for one in ranges if "from" in one]
    return ", ".join([*older, *(f"from {one['from']}" for one in fixed)]), ", ".join(one["fixed"] for one in fixed)


def _sources(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row["source"] for row in rows))


def _heading(text: str) -> str:
    return f"{text}\n{'-' * len(text)}\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> str:
    return "\n".join(
        [
            ".. list-table::",
            "   :header-rows: 1",
            "",
            *_cells(head),
            *(_line for row in rows for _line in _cells(row)),
            "",
        ]
    )


def _cells(row: tuple[str | None, ...]) -> Iterator[str]:
    for number, cell in enumerate(row):
        yield f"   {'  -' if number else '* -'} {cell or 'unknown'}"


def main() -> None:
    """Write the page, or with --check only compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            sys.exit(f"{PAGE.name} is out of date; run make docs.")
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
