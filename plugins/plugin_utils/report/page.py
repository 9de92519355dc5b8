# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format the results of a run as Markdown, for the comment of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import sentences
from ansible_collections.meshops.istio.plugins.plugin_utils.report.escape import as_code, in_markdown
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import DONE, counts, overview
from ansible_collections.meshops.istio.plugins.plugin_utils.report.names import where
from ansible_collections.meshops.istio.plugins.plugin_utils.report.status import Result, failed_checks, overall

MARK = "<!-- meshops.istio -->"
"""The first line, by which a pipeline finds its previous comment."""

LONGEST = 60_000
"""The maximum length of a page, slightly below the limits of GitHub and GitLab."""

_TITLES = {
    "clean": "No drift",
    "drift": "Drift",
    "error": "Errors",
}


def as_markdown(results: Mapping[str, Result]) -> str:
    """Return the page: a table of all clusters, and the changes and failed checks of each."""
    head = "\n".join([MARK, f"## Istio: {_TITLES[overall(results.values())].lower()}", "", *_table(results), ""])
    page, left = head, 0
    for host, result in results.items():
        part = "\n".join(_section(host, result))
        if len(page) + len(part) < LONGEST:
            page += part
        else:
            left += 1
    return page + (f"\nThe page is too long: {left} clusters are omitted. See the log of the run.\n" if left else "")


def _table(results: Mapping[str, Result]) -> Iterator[str]:
    head, *rows = overview(results)
    yield _row(head)
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield _row((*row, *("",) * (len(head) - len(row))))


def _row(cells: tuple[str, ...]) -> str:
    # A bar would end the cell, also in code.
    shown = (in_markdown(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _section(host: str, result: Result) -> Iterator[str]:
    changes = result.get("changes") or ()
    failed, findings = failed_checks(result), sentences(result.get("findings") or ())
    if "error" in result:
        yield from ("", f"### {in_markdown(host)}", "", f"**{in_markdown(result['error']['message'])}**", "")
        return
    if not changes and not failed and not findings:
        return
    yield from ("", f"### {in_markdown(host)}", "")
    yield from (f"- **{in_markdown(one['name'])}** failed. {in_markdown(one['cause'])}" for one in failed)
    yield from (f"- {in_markdown(one)}" for one in findings)
    if changes:
        planned = bool(result.get("planned"))
        yield from (f"<details><summary>{counts(changes, planned=planned)}</summary>", "")
        words = {} if planned else DONE
        yield from (
            f"- {words.get(one['action'], one['action'])} {in_markdown(one['kind'])} {as_code(where(one))}"
            for one in changes
        )
        yield from ("", "</details>", "")
    if result.get("planned") and result.get("plan_digest"):
        yield from ("To apply this plan:", "", "```", f"mesh_plan_digest: {result['plan_digest']}", "```", "")
