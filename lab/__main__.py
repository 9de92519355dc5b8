# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's command line: `python -m lab up`, and so on."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import audit, debian, node, parts, selection, status
from .binaries import BINARIES
from .errors import LabError
from .paths import Lab


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `lab status | head` ends quietly
    try:
        lab = Lab(options.lab)
        return options.run(options, lab) or 0
    except LabError as e:
        print(f"lab: {e}", file=sys.stderr)
        return 1
    except PermissionError as e:
        print(f"lab: {e.filename or e}: permission denied; a lab belongs to root, so use sudo", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; the same command goes on where it was", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("--lab", default=os.environ.get("LAB") or "default", help="the lab's name (default: $LAB)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace, Lab], int | None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    up = command("up", _up, "start the lab, or repair it")
    up.add_argument("--simulated", action="store_true", help="a control plane whose nodes and pods are only played")
    up.add_argument(
        "--played-nodes", type=int, default=0, metavar="COUNT", help="nodes beside the real one, only played"
    )
    up.add_argument("--cni", action="store_true", help="with the image of Istio's CNI, where images are packed")
    for builder in (
        up,
        command("build", _build, "find, fetch or build all that a lab is made of, and start nothing"),
    ):
        builder.add_argument(
            "--istio",
            default=os.environ.get("ISTIO", ""),
            metavar="VERSION,...",
            help="releases of Istio; a site installs the first (default: $ISTIO, or what the lab has)",
        )
        builder.add_argument(
            "--kubernetes",
            default=os.environ.get("KUBERNETES", ""),
            metavar="VERSION",
            help="version of Kubernetes (default: $KUBERNETES, or what goes with the release of Istio)",
        )
        builder.add_argument(
            "--basic",
            action="store_true",
            help="without load balancers, volumes and Prometheus, which take minutes to build; a later `up` adds them",
        )
        builder.add_argument(
            "--binary", action="append", default=[], metavar="NAME=PATH", help="use this program instead of finding one"
        )
    command("down", _down, "remove the lab and all that it made")
    command("status", _status, "show node, processes, addresses, images and stand-ins; fails if the lab is not well")
    command("kubeconfig", _kubeconfig, "print the path of the kubeconfig")
    command("vars", _vars, "print the path of a file with the variables that a playbook needs for the lab")
    writes = command("writes", _writes, "count the writes that the API server has received")
    writes.add_argument("--user-agent", default="", metavar="NAME", help="only of clients whose name begins so")
    writes.add_argument("--since", default="", metavar="TIME", help="only from this moment on (RFC 3339, or seconds)")
    writes.add_argument("--all", action="store_true", help="reads and dry runs too")
    writes.add_argument("--list", action="store_true", help="print each request as a line of JSON")
    return parser


def _up(options: argparse.Namespace, lab: Lab) -> None:
    node.up(
        lab,
        _named(options.binary),
        istio=options.istio,
        kubernetes=options.kubernetes,
        simulated=options.simulated,
        played=options.played_nodes,
        cni=options.cni,
        basic=options.basic,
    )


def _build(options: argparse.Namespace, _: Lab) -> None:
    chosen = selection.select(options.istio, options.kubernetes)
    debian.ensure()
    parts.gather(chosen, _named(options.binary), basic=options.basic)


def _down(_: argparse.Namespace, lab: Lab) -> None:
    node.down(lab)


def _status(_: argparse.Namespace, lab: Lab) -> int:
    return status.show(lab)


def _kubeconfig(_: argparse.Namespace, lab: Lab) -> None:
    _print_path(lab, lab.kubeconfig)


def _vars(_: argparse.Namespace, lab: Lab) -> None:
    _print_path(lab, lab.vars_file)


def _writes(options: argparse.Namespace, lab: Lab) -> None:
    wanted = audit.requests if options.all else audit.writes
    found = list(wanted(lab, user_agent=options.user_agent, since=options.since))
    if options.list:
        for request in found:
            print(json.dumps(request.as_dict()))
    else:
        print(len(found))


def _named(pairs: list[str]) -> dict[str, str]:
    named = dict(pair.partition("=")[::2] for pair in pairs)
    if unknown := sorted(set(named) - set(BINARIES)):
        raise LabError(f"--binary {', '.join(unknown)}: the lab's programs are {', '.join(sorted(BINARIES))}.")
    return named


def _print_path(lab: Lab, path: Path) -> None:
    if not path.exists():
        raise LabError(f"Lab {lab.name} is not up: start it with `make lab-up`.")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
