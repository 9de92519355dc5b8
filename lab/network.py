# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's network: a namespace for its node, a pair of interfaces, and one /24 that no other lab or route has.

`.1` is the host's end, `.2` the node, the upper half (`.128/25`) the addresses of LoadBalancer services, which the
host reaches through the node. Nothing is forwarded: no packet of the lab leaves this machine.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from .debian import INSTEAD
from .errors import LabError
from .files import locked, write
from .paths import Lab, runtime_root, state_root
from .shell import run, succeeds

PODS = IPv4Network("10.244.0.0/24")
SERVICES = IPv4Network("10.96.0.0/16")
DNS = IPv4Address("10.96.0.10")

_FENCE, _REFUSE = "LAB-FENCE", "LAB-REFUSE"
_CANDIDATES = ("10.250.0.0/16", "172.30.0.0/16", "192.168.0.0/16")


@dataclass(frozen=True)
class Network:
    """The addresses of one lab."""

    subnet: IPv4Network

    @property
    def host(self) -> IPv4Address:
        return self.subnet[1]

    @property
    def node(self) -> IPv4Address:
        return self.subnet[2]

    @property
    def load_balancers(self) -> IPv4Network:
        return list(self.subnet.subnets(prefixlen_diff=1))[1]

    @property
    def interface(self) -> str:
        """The host's end; interface names hold 15 characters, so it is named by the subnet and not by the lab."""
        return f"mlab{int(self.subnet.network_address) >> 8 & 0xFFFF:04x}"


def known(lab: Lab) -> Network | None:
    """The addresses that a lab has, if it has any."""
    return _read(lab.state / "network.json")


def allocate(lab: Lab) -> Network:
    """The lab's addresses: those it has, else the first that nobody has."""
    with locked(runtime_root().parent / "locks" / ".network.lock", waiting_for="choosing addresses"):
        own = known(lab)
        if own:
            return own
        taken = [network.subnet for path in state_root().glob("*/network.json") if (network := _read(path))]
        subnet = choose(taken + _routed() + [PODS.supernet(new_prefix=16), SERVICES])
        write(lab.state / "network.json", json.dumps({"subnet": str(subnet)}))
        return Network(subnet)


def choose(taken: list[IPv4Network]) -> IPv4Network:
    """The first /24 that overlaps nothing which is taken."""
    wanted = os.environ.get("LAB_NETWORK")
    for candidate in [wanted] if wanted else _CANDIDATES:
        try:
            subnets = IPv4Network(candidate).subnets(new_prefix=24)
            free = next((subnet for subnet in subnets if not any(subnet.overlaps(other) for other in taken)), None)
        except ValueError as e:
            raise LabError(f"LAB_NETWORK={wanted} is no IPv4 network of at least 256 addresses: {e}.") from e
        if free:
            return free
    raise LabError(
        "Every address range that the lab may use is taken on this machine: name a free /16 with LAB_NETWORK."
    )


def up(lab: Lab, network: Network) -> bool:
    """Make whatever is missing; true if the namespace is new, so that processes of an older one are in the wrong place."""
    new = not Path(f"/run/netns/{lab.netns}").exists()
    if new:
        run(["ip", "netns", "add", lab.netns])
    if not _exists(network.interface):
        # One end may be left where a namespace was deleted by hand; the kernel removes both ends at once.
        peer = ["peer", "name", "eth0", "netns", lab.netns]
        run(["ip", "link", "add", network.interface, "type", "veth", *peer])
    length = network.subnet.prefixlen + 1
    run(["ip", "address", "replace", f"{network.host}/{length}", "dev", network.interface])
    run(["ip", "link", "set", network.interface, "up"])
    inside = ["ip", "-netns", lab.netns]
    run([*inside, "address", "replace", f"{network.node}/{length}", "dev", "eth0"])
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "link", "set", "eth0", "up"])
    run([*inside, "route", "replace", "default", "via", str(network.host)])
    run(["ip", "route", "replace", str(network.load_balancers), "via", str(network.node)])
    _settings(lab)
    _fences(lab, network)
    return new


def down(lab: Lab) -> None:
    """Remove the namespace and with it the pair of interfaces, their addresses, routes and rules."""
    network = known(lab)
    if network and _exists(network.interface):
        run(["ip", "link", "delete", network.interface])
    if Path(f"/run/netns/{lab.netns}").exists():
        run(["ip", "netns", "delete", lab.netns])


def inside(lab: Lab) -> list[str]:
    """The words that run a command in the lab's network namespace."""
    return ["nsenter", f"--net=/run/netns/{lab.netns}"]


def _settings(lab: Lab) -> None:
    bridges = Path("/proc/sys/net/bridge")
    for module in ("br_netfilter", "overlay"):
        if not Path(f"/sys/module/{module}").exists():
            succeeds(["modprobe", module])  # it may be built in instead
    if not bridges.exists():
        raise LabError(f"This machine's kernel has no br_netfilter, without which services do not answer: {INSTEAD}.")
    run([*inside(lab), "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"])


def _fences(lab: Lab, network: Network) -> None:
    """Answer at once, instead of never, for what is outside the lab or a LoadBalancer address that nobody has.

    Rules see addresses as kube-proxy has translated them: what is still a LoadBalancer's address here is nobody's.
    """
    nobody = [f"-d {network.load_balancers} -g {_REFUSE}"]
    inhabited = [f"-d {own} -j RETURN" for own in (network.subnet, PODS.supernet(new_prefix=16))]
    restore = [
        "*filter",
        f":{_FENCE} - [0:0]",
        f":{_REFUSE} - [0:0]",
        *(f"-A {_FENCE} {rule}" for rule in (*nobody, *inhabited, f"-g {_REFUSE}")),
        f"-A {_REFUSE} -p tcp -j REJECT --reject-with tcp-reset",
        f"-A {_REFUSE} -j REJECT",
        "COMMIT",
        "",
    ]
    run([*inside(lab), "iptables-restore", "-w", "--noflush"], stdin="\n".join(restore))
    iptables = [*inside(lab), "iptables", "-w"]
    for chain in ("FORWARD", "OUTPUT"):
        jump = [chain, "-o", "eth0", "-j", _FENCE]
        if not succeeds([*iptables, "-C", *jump]):
            run([*iptables, "-A", *jump])


def _exists(interface: str) -> bool:
    return Path(f"/sys/class/net/{interface}").exists()


def _read(path: Path) -> Network | None:
    try:
        return Network(IPv4Network(json.loads(path.read_text())["subnet"]))
    except (OSError, ValueError, KeyError):
        return None


def _routed() -> list[IPv4Network]:
    """What this machine already reaches by a route of its own, the default route aside."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    return [IPv4Network(r["dst"], strict=False) for r in routes if r["dst"] not in ("default", "0.0.0.0/0")]
