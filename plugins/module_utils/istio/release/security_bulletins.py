# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Istio's security bulletins since 2021, with the releases that they affect.

From https://istio.io/latest/news/security/. ISTIO-SECURITY-2021-002, 2021-004 and 2026-002 are not here: they are about
configurations, and no release fixes them.
"""

from __future__ import annotations

from typing import Any

LOOKED_UP = "2026-11-30"


def _bulletin(published: str, *affected: str, before: str | None = None) -> dict[str, Any]:
    """Return a bulletin. affected: the first affected patch and the one with the fix, by minor version.

    before: all older releases are affected too.
    """
    pairs = [dict(zip(("from", "fixed"), one.split(), strict=True)) for one in affected]
    return {"published": published, "affected": [*pairs, *([{"before": before}] if before else [])]}


BULLETINS: dict[str, dict[str, Any]] = {
    "ISTIO-SECURITY-2021-001": _bulletin("2021-03-01", "1.9.0 1.9.1"),
    "ISTIO-SECURITY-2021-003": _bulletin("2021-04-15", "1.8.0 1.8.5", "1.9.0 1.9.3", before="1.8.0"),
    "ISTIO-SECURITY-2021-005": _bulletin("2021-05-11", "1.8.0 1.8.6", "1.9.0 1.9.5", before="1.8.0"),
    "ISTIO-SECURITY-2021-006": _bulletin("2021-05-11", "1.8.0 1.8.6", "1.9.0 1.9.5", before="1.8.0"),
    # Of the older ones, it names only 1.8.
    "ISTIO-SECURITY-2021-007": _bulletin("2021-06-24", "1.9.0 1.9.6", "1.10.0 1.10.2", before="1.9.0"),
    "ISTIO-SECURITY-2021-008": _bulletin("2021-08-24", "1.9.0 1.9.8", "1.10.0 1.10.4", "1.11.0 1.11.1", before="1.9.0"),
    "ISTIO-SECURITY-2022-001": _bulletin("2022-01-18", "1.12.0 1.12.2"),
    "ISTIO-SECURITY-2022-002": _bulletin("2022-01-18", "1.12.0 1.12.2"),
    "ISTIO-SECURITY-2022-003": _bulletin(
        "2022-02-22", "1.11.0 1.11.7", "1.12.0 1.12.4", "1.13.0 1.13.1", before="1.11.0"
    ),
    "ISTIO-SECURITY-2022-004": _bulletin(
        "2022-03-09", "1.11.0 1.11.8", "1.12.0 1.12.5", "1.13.0 1.13.2", before="1.11.0"
    ),
    "ISTIO-SECURITY-2022-005": _bulletin(
        "2022-06-09", "1.12.0 1.12.8", "1.13.0 1.13.5", "1.14.0 1.14.1", before="1.12.0"
    ),
    "ISTIO-SECURITY-2022-006": _bulletin("2022-07-26", "1.13.6 1.13.7", "1.14.2 1.14.3"),
    "ISTIO-SECURITY-2022-007": _bulletin(
        "2022-10-12", "1.13.0 1.13.9", "1.14.0 1.14.5", "1.15.0 1.15.2", before="1.13.0"
    ),
    "ISTIO-SECURITY-2022-008": _bulletin("2022-11-09", "1.15.2 1.15.3"),
    "ISTIO-SECURITY-2023-001": _bulletin(
        "2023-04-04", "1.15.0 1.15.7", "1.16.0 1.16.4", "1.17.0 1.17.2", before="1.15.0"
    ),
    "ISTIO-SECURITY-2023-002": _bulletin(
        "2023-07-14", "1.16.0 1.16.6", "1.17.0 1.17.4", "1.18.0 1.18.1", before="1.16.0"
    ),
    "ISTIO-SECURITY-2023-003": _bulletin(
        "2023-07-25", "1.16.0 1.16.7", "1.17.0 1.17.5", "1.18.0 1.18.2", before="1.16.0"
    ),
    "ISTIO-SECURITY-2023-004": _bulletin(
        "2023-10-11", "1.17.0 1.17.7", "1.18.0 1.18.4", "1.19.0 1.19.2", before="1.17.0"
    ),
    "ISTIO-SECURITY-2023-005": _bulletin(
        "2023-12-12", "1.18.0 1.18.6", "1.19.0 1.19.5", "1.20.0 1.20.1", before="1.18.0"
    ),
    "ISTIO-SECURITY-2024-001": _bulletin("2024-02-09", "1.19.0 1.19.7", "1.20.0 1.20.3", before="1.19.0"),
    "ISTIO-SECURITY-2024-002": _bulletin(
        "2024-04-08", "1.19.0 1.19.9", "1.20.0 1.20.5", "1.21.0 1.21.1", before="1.19.0"
    ),
    "ISTIO-SECURITY-2024-003": _bulletin(
        "2024-04-22", "1.19.0 1.19.10", "1.20.0 1.20.6", "1.21.0 1.21.2", before="1.19.0"
    ),
    "ISTIO-SECURITY-2024-004": _bulletin(
        "2024-06-04", "1.20.0 1.20.7", "1.21.0 1.21.3", "1.22.0 1.22.1", before="1.20.0"
    ),
    "ISTIO-SECURITY-2024-005": _bulletin("2024-06-27", "1.21.0 1.21.4", "1.22.0 1.22.2"),
    "ISTIO-SECURITY-2024-006": _bulletin("2024-09-19", "1.22.0 1.22.5", "1.23.0 1.23.2"),
    "ISTIO-SECURITY-2024-007": _bulletin("2024-12-18", "1.22.0 1.22.7", "1.23.0 1.23.4", "1.24.0 1.24.2"),
    "ISTIO-SECURITY-2025-001": _bulletin("2025-09-03", "1.25.0 1.25.5", "1.26.0 1.26.4", "1.27.0 1.27.1"),
    # It names 1.27.0 to 1.27.1, but was published with 1.27.3 and 1.26.6, which have the fixes.
    "ISTIO-SECURITY-2025-002": _bulletin("2025-10-20", "1.26.0 1.26.6", "1.27.0 1.27.3"),
    "ISTIO-SECURITY-2025-003": _bulletin("2025-12-03", "1.26.0 1.26.7", "1.27.0 1.27.4", "1.28.0 1.28.1"),
    "ISTIO-SECURITY-2025-004": _bulletin("2025-12-22", "1.26.0 1.26.8", "1.27.0 1.27.5", "1.28.0 1.28.2"),
    "ISTIO-SECURITY-2026-001": _bulletin("2026-03-10", "1.27.0 1.27.8", "1.28.0 1.28.5", "1.29.0 1.29.1"),
    "ISTIO-SECURITY-2026-003": _bulletin("2026-04-20", "1.28.0 1.28.6", "1.29.0 1.29.2"),
    "ISTIO-SECURITY-2026-004": _bulletin("2026-06-04", "1.28.0 1.28.8", "1.29.0 1.29.4", "1.30.0 1.30.1"),
    # It names 1.28.8 to 1.28.9, 1.29.4 to 1.29.5 and 1.30.1 to 1.30.2; the last of each are the ones with the fixes.
    "ISTIO-SECURITY-2026-005": _bulletin("2026-06-24", "1.28.8 1.28.9", "1.29.4 1.29.5", "1.30.1 1.30.2"),
    "ISTIO-SECURITY-2026-006": _bulletin("2026-08-26", "1.29.0 1.29.7", "1.30.0 1.30.4", before="1.29.0"),
}
"""By number: when each was `published`, and what is `affected`, `from` one release until it is `fixed`, or `before` one."""
