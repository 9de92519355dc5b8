# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs get addresses that nobody else on the machine has."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from lab import network
from lab.errors import LabError
from lab.network import Network, choose
from lab.paths import Lab


def test_the_first_free_subnet_is_taken() -> None:
    assert choose([]) == IPv4Network("10.250.0.0/24")
    assert choose([IPv4Network("10.250.0.0/24"), IPv4Network("10.250.1.128/25")]) == IPv4Network("10.250.2.0/24")


def test_a_whole_range_that_is_routed_elsewhere_is_left_alone() -> None:
    assert choose([IPv4Network("10.0.0.0/8")]) == IPv4Network("172.30.0.0/24")


def test_the_user_can_name_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_NETWORK", "10.99.0.0/16")
    assert choose([]) == IPv4Network("10.99.0.0/24")
    with pytest.raises(LabError, match="name a free /16 with LAB_NETWORK"):
        choose([IPv4Network("10.99.0.0/16")])


@pytest.mark.parametrize("wanted", ["nonsense", "10.99.0.1/16", "10.99.0.0/28", "fd00::/64"])
def test_a_range_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setenv("LAB_NETWORK", wanted)
    with pytest.raises(LabError, match="LAB_NETWORK"):
        choose([])


def test_labs_keep_their_addresses_and_share_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_routed", list)
    one, other = network.allocate(Lab("one")), network.allocate(Lab("other"))
    assert not one.subnet.overlaps(other.subnet)
    assert network.allocate(Lab("one")) == network.known(Lab("one")) == one
    assert network.known(Lab("third")) is None


def test_the_parts_of_a_subnet() -> None:
    addresses = Network(IPv4Network("10.250.7.0/24"))
    assert (addresses.host, addresses.node) == (IPv4Address("10.250.7.1"), IPv4Address("10.250.7.2"))
    assert addresses.load_balancers == IPv4Network("10.250.7.128/25")
    assert addresses.interface == "mlabfa07"


def test_subnets_of_all_ranges_have_interfaces_of_their_own() -> None:
    names = [
        Network(subnet).interface
        for candidate in network._CANDIDATES
        for subnet in IPv4Network(candidate).subnets(new_prefix=24)
    ]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 15
