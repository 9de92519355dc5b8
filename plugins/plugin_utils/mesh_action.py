# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module: find its files on the controller, and display its progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.text_encoding import decode
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import is_url, manifest_files
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import PHASES, PROGRESS_FILE
from ansible_collections.meshops.istio.plugins.module_utils.secret_options import is_content
from ansible_collections.meshops.istio.plugins.module_utils.terminal_text import on_one_line
from ansible_collections.meshops.istio.plugins.plugin_utils.console import show
from ansible_collections.meshops.istio.plugins.plugin_utils.payload import package_cache
from ansible_collections.meshops.istio.plugins.plugin_utils.progress_display import ProgressDisplay
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import change_line

display = Display()


class MeshAction(NormalAction):
    """Run the module of the same name.

    Relative paths are looked up like `src` of ansible.builtin.copy, then in the current folder. A module on this machine
    reads the files itself. A module on another machine gets their content, and so does any module for files in a vault.
    """

    files: ClassVar[tuple[str, ...]] = ()
    """Options that are lists of files to read, or of folders with such files."""

    folders: ClassVar[tuple[str, ...]] = ()
    """Options that are lists of paths, which are only made absolute, and only if the module runs on this machine."""

    nested: ClassVar[tuple[str, ...]] = ()
    """Options that hold the options of another module, with paths among them."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Resolve the paths, run the module, and display its phases."""
        try:
            self._task.args = {name: self._resolved(name, value) for name, value in self._task.args.items()}
        except InvalidInput as error:
            return {"failed": True, "msg": error.message, "code": error.code, "details": error.details}
        host = str((task_vars or {}).get("inventory_hostname", ""))
        with self._shown(host), package_cache(type(self).__module__.rpartition(".")[2], local=self._local):
            result: dict[str, Any] = super().run(tmp, task_vars)
        self._show_phases(host, result.pop(PHASES, []))
        self._show_changes(host, result.get("changes"))
        return result

    def _show_changes(self, host: str, changes: Any) -> None:
        """Show in one line the changes of the task, or in check mode what it would change."""
        if isinstance(changes, list) and changes and not self._task.no_log:
            planned = bool(self._task.check_mode)
            title = "plan" if planned else "changed"
            show(on_one_line(f"  [{host}] {title}: {change_line(changes, planned=planned)}"))

    def _show_phases(self, host: str, phases: list[dict[str, Any]]) -> None:
        """Display the requests of a run with -v."""
        if phases:
            # A module without a plan has one phase, whose name is of no use.
            names = [f"{one['phase']} " for one in phases] if len(phases) > 1 else [""]
            display.v(f"  [{host}] {'; '.join(map(_measured, names, phases))}")

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Return whether to pipe a module to Python: a file with its options would remain after a kill."""
        plain = self._local and not (wrap_async or self._connection.become or constants.DEFAULT_KEEP_REMOTE_FILES)
        return (plain and module_style == "new") or bool(super()._is_pipelining_enabled(module_style, wrap_async))

    @property
    def _local(self) -> bool:
        return bool(self._connection.transport == "local")

    def _resolved(self, option: str, value: Any) -> Any:
        if option == "kubeconfig" and self._local:
            return self._kubeconfig(value)
        if option in self.nested and isinstance(value, Mapping):
            return {name: self._resolved(name, one) for name, one in value.items()}
        entries = [value] if isinstance(value, (str, dict)) else value
        if not isinstance(entries, list):
            return value  # the module refuses it
        if option in self.files:
            return [found for entry in entries for found in self._file(option, entry)]
        if option in self.folders and self._local:
            return [self._path(entry) or entry for entry in entries]
        return value

    def _kubeconfig(self, value: Any) -> Any:
        if not isinstance(value, str) or is_content(value):
            return value
        parts = value.split(os.pathsep)
        found = [self._path(part) or part for part in parts]
        # A kubeconfig in a vault is passed as content, and never written to a file.
        return self._text(found[0]) if len(found) == 1 and self._in_vault(found[0]) else os.pathsep.join(found)

    def _file(self, option: str, entry: Any) -> Iterator[Any]:
        if not isinstance(entry, str) or is_url(entry):
            yield entry
            return
        path = self._path(entry)
        if path is None:
            raise InvalidInput(
                f"'{entry}' of {option} was not found: not in the playbook's folder, its folder 'files', that of the role,"
                " or the current folder. Correct the path.",
                path=str(entry),
            )
        for one in manifest_files(path) if os.path.isdir(path) else [path]:
            inline = not self._local or self._in_vault(one)
            yield {"source": one, "text": self._text(one)} if inline else one

    def _selected(self, tag: str, variables: dict[str, Any]) -> bool:
        """Return whether a task with this tag in place of `always` would run."""
        tags = {tag, "tagged", "all", *self._task.tags} - {"always"}
        run, skip = (set(variables.get(name) or ()) for name in ("ansible_run_tags", "ansible_skip_tags"))
        return bool(tags & (run or {"all"})) and not tags & skip

    def _path(self, entry: Any) -> str | None:
        """Return the full path on this machine; None if it is not a path or not found."""
        if not isinstance(entry, str) or not entry or is_url(entry):
            return None
        try:
            return str(self._find_needle("files", os.path.expanduser(entry)))
        except AnsibleError:
            # The collection's playbooks are in the collection, and their users' files in the current folder.
            here = os.path.abspath(os.path.expanduser(entry))
            return here if os.path.exists(here) else None

    def _in_vault(self, path: str) -> bool:
        try:
            with open(path, "rb") as file:
                return file.read(14) == b"$ANSIBLE_VAULT"
        except OSError:
            return False

    def _text(self, path: str) -> str:
        real = self._loader.get_real_file(path)
        try:
            with open(real, "rb") as file:
                return decode(file.read(), path)
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be read: {error.strerror or error}. Check its path and permissions.", path=path
            ) from error
        finally:
            self._loader.cleanup_tmp_file(real)

    @contextlib.contextmanager
    def _shown(self, host: str) -> Iterator[None]:
        """Display the module's progress, if it runs on this machine."""
        if not self._local or self._task.async_val or self._task.no_log:
            yield
            return
        before = self._task.environment
        with ProgressDisplay(show, host) as path:
            own = before if isinstance(before, list) else [before] if before else []
            self._task.environment = [*own, {PROGRESS_FILE: path}]
            try:
                yield
            finally:
                self._task.environment = before


def _measured(name: str, phase: dict[str, Any]) -> str:
    requests = [f"{count} {method}" for method, count in phase["requests"].items()]
    return f"{name}{phase['seconds']:.2f} s ({', '.join(requests) or 'no request'})"
