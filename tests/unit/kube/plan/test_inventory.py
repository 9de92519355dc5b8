# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory lists."""

from __future__ import annotations

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.inventory import Inventory, listed_in

WEB = Key("apps/v1", "Deployment", "shop", "web")


def test_what_is_deleted_to_be_created_anew_is_listed_once() -> None:
    listing = Inventory("application", "shop", "shop").listing([WEB, WEB])
    assert listing is not None
    assert listed_in(listing) == [WEB]
    assert listing["data"] == {"Deployment.v1.apps": "shop/web"}
