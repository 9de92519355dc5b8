# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must never happen: foreign objects touched, the wrong cluster written to, two commits mixed, a secret shown.

Each test has `@pytest.mark.step("<kind> <number>", "<what is tried>")`, so that the run ends with a line per case.
"""

from __future__ import annotations

from ansible_collections.meshops.istio.tests.integration.modules.conftest import (
    cluster,
    idle,
    in_mesh,
    mesh,
    namespace,
    refused,
    run,
    run_module,
)

__all__ = ["cluster", "idle", "in_mesh", "mesh", "namespace", "refused", "run", "run_module"]
