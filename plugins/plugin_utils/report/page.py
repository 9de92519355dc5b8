# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run found out, as one page of Markdown for a pull request's comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.meshops.istio.plugins.plugin_utils.report.escape import as_code, in_markdown
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import DONE, overview, where
from ansible_collections.meshops.istio.plugins.plugin_utils.report.standing import Result, failed_checks, overall

MARK = "<!-- meshops.istio -->"
"""The first line, by which a pipeline finds the comment that it made before."""

LONGEST = 60_000
"""Characters of a page; the comments of GitHub and GitLab take a little more."""

_SAID = {
    "clean": "All is as it should be",
    "drift": "Not as it should be",
    "error": "Not everything could be found out",
}


def as_markdown(results: Mapping[str, Result]) -> str:
    """The page: a table of all clusters, and of each what would change, or does not hold."""
    head = "\n".join([MARK, f"## Istio: {_SAID[overall(results.values())].lower()}", "", *_table(results), ""])
    page, left = head, 0
    for host, result in results.items():
        part = "\n".join(_section(host, result))
        if len(page) + len(part) < LONGEST:
            page += part
        else:
            left += 1
    return page + (
        f"\nThe page is full: {left} clusters are left out, whose changes the run's log has.\n" if left else ""
    )


def _table(results: Mapping[str, Result]) -> Iterator[str]:
    head, *rows = overview(results)
    yield _row(head)
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield _row((*row, *("",) * (len(head) - len(row))))


def _row(cells: tuple[str, ...]) -> str:
    # A bar would end the cell, within code too.
    shown = (in_markdown(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _section(host: str, result: Result) -> Iterator[str]:
    changes = result.get("changes") or ()
    failed = failed_checks(result)
    if "error" in result:
        yield from ("", f"### {in_markdown(host)}", "", f"**{in_markdown(result['error']['message'])}**", "")
        return
    if not changes and not failed:
        return
    yield from ("", f"### {in_markdown(host)}", "")
    yield from (f"- **{in_markdown(one['name'])}** does not hold. {in_markdown(one['cause'])}" for one in failed)
    if changes:
        word = "change" if len(changes) == 1 else "changes"
        yield from (f"<details><summary>{len(changes)} {word}</summary>", "")
        words = {} if result.get("planned") else DONE
        yield from (
            f"- {words.get(one['action'], one['action'])} {in_markdown(one['kind'])} {as_code(where(one))}"
            for one in changes
        )
        yield from ("", "</details>", "")
    if result.get("planned") and result.get("plan_digest"):
        yield from ("To carry out just this plan:", "", "```", f"mesh_plan_digest: {result['plan_digest']}", "```", "")
