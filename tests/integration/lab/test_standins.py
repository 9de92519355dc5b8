# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins answer what their originals answer, are there when they say so, and leave without losing a request."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door
from ansible_collections.meshops.istio.tests.integration.traffic.websocket import echoed

from lab import release, standins, versions
from lab.download import Downloads

from .conftest import eventually


@pytest.fixture(scope="module")
def program() -> Path:
    return standins.program()


class Service:
    """A stand-in that runs on this machine."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            response = connection.getresponse()
            return response, response.read().decode(errors="replace")

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        response, text = self.ask("GET", path, **headers)
        return response.status, text

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextlib.contextmanager
def serving(program: Path, role: str, **env: str) -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "STAND_IN": f"examples-{role}", "HOSTNAME": "a-pod", **env}
    with subprocess.Popen([program, role], env=environment, stderr=subprocess.DEVNULL) as process:
        service = Service(port, process)
        try:
            eventually(service.listens, limit=10)
            yield service
        finally:
            process.kill()


def test_helloworld_says_its_version_and_instance(program: Path) -> None:
    with serving(program, "helloworld", SERVICE_VERSION="v2") as service:
        response, text = service.ask("GET", "/hello")
        assert (response.status, text) == (200, "Hello version: v2, instance: a-pod\n")
        assert response.headers["x-stand-in"] == "examples-helloworld"
        assert service.get("/health") == (200, "Helloworld is healthy")
        assert service.get("/other")[0] == 404


def test_a_stand_in_drains_when_it_is_told_to_end(program: Path) -> None:
    with serving(program, "httpbin") as service:
        slow: list[tuple[int, str]] = []
        waiting = threading.Thread(target=lambda: slow.append(service.get("/delay/4")))
        waiting.start()
        time.sleep(0.5)
        service.process.terminate()
        time.sleep(0.5)
        response, _ = service.ask("GET", "/get")  # proxies may not have heard yet
        assert response.status == 200
        assert response.headers["Connection"] == "close"
        eventually(lambda: not service.listens(), limit=10)
        waiting.join()
        assert slow[0][0] == 200
        assert service.process.wait(10) == 0


def test_bookinfo_is_one_page_made_of_four_services(program: Path) -> None:
    with contextlib.ExitStack() as stack:

        def start(role: str, **env: str) -> Service:
            return stack.enter_context(serving(program, role, **env))

        def at(name: str, service: Service) -> dict[str, str]:
            return {f"{name}_HOSTNAME": "127.0.0.1", f"{name}_SERVICE_PORT": str(service.port)}

        details, ratings = start("details"), start("ratings")
        reviews = start("reviews", ENABLE_RATINGS="true", STAR_COLOR="red", **at("RATINGS", ratings))
        page = start("productpage", **at("DETAILS", details), **at("REVIEWS", reviews), **at("RATINGS", ratings))
        status, text = page.get("/productpage")
        assert status == 200
        assert "<title>Simple Bookstore App</title>" in text
        assert '<font color="red">5 stars</font>' in text
        assert "William Shakespeare" in text
        assert "Reviews served by: a-pod" in text
        assert json.loads(details.get("/details/0")[1])["ISBN-10"] == "1234567890"
        assert details.get("/details/x")[0] == 400
        assert ratings.ask("POST", "/ratings/0", json.dumps({"Reviewer1": 1, "Reviewer2": 2}))[0].status == 200
        answer = json.loads(page.get("/api/v1/products/0/reviews")[1])
        assert [review["rating"] for review in answer["reviews"]] == [
            {"stars": 1, "color": "red"},
            {"stars": 2, "color": "red"},
        ]
        ratings.process.kill()
        answer = json.loads(reviews.get("/reviews/0")[1])
        assert answer["reviews"][0]["rating"] == {"error": "Ratings service is currently unavailable"}
        reviews.process.kill()
        assert "Sorry, product reviews are currently unavailable" in page.get("/productpage")[1]


def test_httpbin_tells_what_it_was_asked(program: Path) -> None:
    with serving(program, "httpbin") as service:
        answer: dict[str, Any] = json.loads(service.get("/get?a=1&a=2&b=", x_mark="here")[1])
        assert answer["args"] == {"a": ["1", "2"], "b": [""]}
        assert answer["headers"]["X-Mark"] == ["here"]
        assert answer["url"] == f"http://127.0.0.1:{service.port}/get?a=1&a=2&b="
        assert [service.get(f"/status/{code}")[0] for code in (200, 418, 503)] == [200, 418, 503]
        assert service.get("/status/one")[0] == 400
        _, posted = service.ask("POST", "/post", '{"a": 1}', content_type="application/json")
        assert json.loads(posted)["json"] == {"a": 1}
        assert json.loads(service.ask("PUT", "/anything/x", "text")[1])["data"] == "text"
        assert service.ask("GET", "/post")[0].status == 405
        assert service.ask("GET", "/bytes/16")[0].headers["Content-Length"] == "16"
        response, _ = service.ask("GET", "/response-headers?x-one=1")
        assert response.headers["x-one"] == "1"


def test_curl_does_what_people_ask_of_it_in_a_pod(program: Path) -> None:
    def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, "curl", *arguments], capture_output=True, text=True, timeout=30, check=False)

    with serving(program, "httpbin") as service:
        base = f"http://127.0.0.1:{service.port}"
        assert curl("-sS", "-o", "/dev/null", "-w", "%{http_code}\\n", f"{base}/status/418").stdout == "418\n"
        shown = json.loads(
            curl("-s", "-H", "x-mark: here", "-H", "Host: other", "-X", "PUT", f"{base}/anything").stdout
        )
        assert (shown["method"], shown["headers"]["X-Mark"], shown["headers"]["Host"]) == ("PUT", ["here"], ["other"])
        assert "x-stand-in: examples-httpbin" in curl("-sI", f"{base}/get").stdout.lower()
        assert curl("-sf", f"{base}/status/503").returncode == 22
        assert curl("-s", "-m", "0.5", f"{base}/delay/5").returncode == 28
        resolved = curl("-s", "--resolve", f"some.host:{service.port}:127.0.0.1", f"http://some.host:{service.port}/ip")
        assert json.loads(resolved.stdout) == {"origin": "127.0.0.1"}
    refused = curl("-sS", base)
    assert refused.returncode == 7
    assert "refused" in refused.stderr
    assert curl("-s", base).stderr == ""
    unknown = curl("--socks5", "x", base)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "option --socks5 is unknown" in unknown.stderr


def test_httpbin_echoes_what_comes_by_websocket(program: Path) -> None:
    with serving(program, "httpbin") as service:
        texts = ["one", "", "x" * 125]
        status, answers = echoed(Door("127.0.0.1", service.port), "/websocket/echo", texts, name="httpbin")
        assert (status, answers) == ("HTTP/1.1 101 Switching Protocols", texts)
        assert service.get("/websocket/echo")[0] == 400


def test_what_a_pod_runs_beside_its_application(program: Path, tmp_path: Path) -> None:
    assert subprocess.run([program, "sleep", "0.1"], check=False).returncode == 0
    for forever in (["sleep", "infinity"], ["pause"]):
        with subprocess.Popen([program, *forever]) as process:
            time.sleep(0.3)
            assert process.poll() is None
            process.terminate()
            assert process.wait(5) == 0
    volume = tmp_path / "claims" / "one"
    subprocess.run([program, "volume", "-p", volume, "-s", "1", "-m", "Filesystem", "-a", "create"], check=True)
    assert volume.stat().st_mode & 0o777 == 0o777
    (volume / "file").touch()
    subprocess.run([program, "volume", "-p", volume, "-s", "1", "-m", "Filesystem", "-a", "delete"], check=True)
    assert not volume.exists()
    assert subprocess.run([program, "nonsense"], stderr=subprocess.DEVNULL, check=False).returncode == 2


@pytest.mark.parametrize(
    "sample", ["helloworld/helloworld", "bookinfo/platform/kube/bookinfo", "httpbin/httpbin", "curl/curl"]
)
def test_every_image_of_a_sample_has_a_stand_in(sample: str) -> None:
    (root,) = release.folder(versions.ISTIO, named={}, downloads=Downloads()).glob("istio-*")
    wanted = set(re.findall(r"image:\s*(\S+)", (root / "samples" / f"{sample}.yaml").read_text()))
    assert wanted
    assert wanted <= {name for row in standins.table() for name in row.references}
