# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the inventory plugins for clusters: options, cache, and hosts with local connections."""

from __future__ import annotations

import dataclasses
import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.plugin_utils.untrusted import as_data, group_name, host_name, plain_name


@dataclass(frozen=True)
class Host:
    """A cluster: host name, variables, and groups in addition to `clusters`."""

    name: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    groups: Iterable[str] = ()


class ClusterInventory(BaseInventoryPlugin, Constructable, Cacheable):
    """An inventory whose hosts are clusters; `written`: the options in its file, without defaults and environment.

    The found data is untrusted: it is never evaluated as a template, and names of hosts and groups contain no
    characters with a meaning in Ansible.
    """

    written: Mapping[str, Any]

    @staticmethod
    def _sanitize_group_name(name: str) -> str:
        """Make the name of a composed group safe, which ansible-core does not by default."""
        return str(to_safe_group_name(plain_name(name)))

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be for this plugin: it is YAML."""
        return bool(super().verify_file(path)) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from a file's options."""
        super().parse(inventory, loader, path, cache)
        self.written = self._read_config_data(path)
        key = self.get_cache_key(path)
        cached = self.get_option("cache") and cache
        found = self._cache.get(key) if cached else None
        if found is None:
            try:
                found = self.find()
            except MeshError as error:
                raise AnsibleParserError(error.message) from error
            if self.get_option("cache"):
                self._cache[key] = found
        self.inventory.add_group("clusters")
        taken: set[str] = set()
        for host in self.hosts(found):
            name = host_name(host.name, taken)
            taken.add(name)
            self._add(dataclasses.replace(host, name=name))

    @abstractmethod
    def find(self) -> dict[str, dict[str, Any]]:
        """Find the clusters; return them as plain data for the cache. Raises MeshError."""

    @abstractmethod
    def hosts(self, found: Mapping[str, Mapping[str, Any]]) -> Iterable[Host]:
        """Return the hosts for the found data."""

    def _add(self, host: Host) -> None:
        strict = self.get_option("strict")
        self.inventory.add_host(host.name, group="clusters")
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        for variable, value in {**here, **as_data(dict(host.variables))}.items():
            self.inventory.set_variable(host.name, variable, value)
        for group in host.groups:
            self.inventory.add_host(host.name, group=self.inventory.add_group(group_name(group)))
        known = self.inventory.get_host(host.name).get_vars()
        self._set_composite_vars(self.get_option("compose"), known, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host.name, strict=strict)
