# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-ins for the applications of the labs, as far as they do without a cluster."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_standins import Service, program, serving

__all__ = ["program"]


def query(service: Service, *words: str) -> str:
    """What a store answers to a command, in the protocol of Redis."""
    parts = [f"*{len(words)}", *(part for word in words for part in (f"${len(word.encode())}", word))]
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall("".join(f"{part}\r\n" for part in parts).encode())
        return connection.recv(65536).decode()


def test_a_store_has_lists_and_maps(program: Path) -> None:
    with serving(program, "store") as store:
        assert query(store, "PING") == "$4\r\nPONG\r\n"
        assert query(store, "RPUSH", "sms", "one", "two") == ":2\r\n"
        assert query(store, "LPOP", "sms") == "$3\r\none\r\n"
        assert query(store, "LRANGE", "sms") == "*1\r\n$3\r\ntwo\r\n"
        assert query(store, "HSET", "orders", "1", "{}") == ":1\r\n"
        assert query(store, "HINCRBY", "cart", "mug", "2") == query(store, "HINCRBY", "cart", "mug", "0") == ":2\r\n"
        assert query(store, "HGETALL", "orders") == "*2\r\n$1\r\n1\r\n$2\r\n{}\r\n"
        assert query(store, "DEL", "orders") == ":1\r\n"
        assert query(store, "HGET", "orders", "1") == "$-1\r\n"
        assert query(store, "FLUSHALL").startswith("-ERR")
        assert query(store, "HSET", "orders").startswith("-ERR")


def test_a_store_with_a_folder_keeps_what_it_has(program: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    with serving(program, "store", DATA=folder) as store:
        query(store, "RPUSH", "messages", "hello\r\nworld")
        query(store, "RPUSH", "messages", "gone")
        query(store, "LPOP", "messages")
    with serving(program, "store", DATA=folder) as store:
        assert query(store, "LRANGE", "messages") == "*1\r\n$4\r\ngone\r\n"


def test_the_calculator_takes_numbers_apart(program: Path) -> None:
    with serving(program, "calc-backend", BACKEND_VERSION="2.0") as backend:
        for number, factors in (("84", [2, 2, 3, 7]), ("97", [97]), ("1", []), ("none", [0])):
            response, text = backend.ask("POST", "/api/calculation", number=number)
            assert (response.status, json.loads(text)["value"], json.loads(text)["__v"]) == (200, factors, "2.0")
        with serving(program, "calc-frontend", ENDPOINT=f"127.0.0.1:{backend.port}") as frontend:
            assert "<form" in frontend.get("/")[1]
            assert json.loads(frontend.ask("POST", "/api/calculation", number="6")[1])["value"] == [2, 3]
            backend.process.kill()
            backend.process.wait()
            assert frontend.ask("POST", "/api/calculation", number="6")[0].status == 502


def test_hellodemo_greets(program: Path) -> None:
    with serving(program, "hellodemo") as service:
        assert service.get("/helloWorld/sayHello") == (200, "Hello, World from service helloWorld !\n")


def test_a_greeting_names_its_version(program: Path) -> None:
    with serving(program, "greeter", version="2.0") as service:
        found = json.loads(service.get("/hello/universe")[1])
        assert set(found) == {"hostname", "greeting", "version"}
        assert found["greeting"] == f"Hello universe from {found['hostname']} with 2.0"


@pytest.fixture
def shop(program: Path) -> Iterator[Service]:
    """Online Boutique's frontend, with all that is behind it."""
    behind = {
        "AD": "ads",
        "CART": "carts",
        "CHECKOUT": "checkout",
        "CURRENCY": "currencies",
        "EMAIL": "emails",
        "PAYMENT": "payments",
        "PRODUCT_CATALOG": "catalog",
        "RECOMMENDATION": "recommendations",
        "SHIPPING": "shipping",
    }
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(serving(program, "store"))
        addresses = {"REDIS_ADDR": f"127.0.0.1:{redis.port}"}
        # Who asks others comes after them.
        for name in sorted(behind, key=lambda one: (one == "CHECKOUT", one == "RECOMMENDATION")):
            service = stack.enter_context(serving(program, behind[name], **addresses))
            addresses[f"{name}_SERVICE_ADDR"] = f"127.0.0.1:{service.port}"
        yield stack.enter_context(serving(program, "frontend", **addresses))


def test_the_shop_sells(shop: Service) -> None:
    visitor = {"Cookie": "shop_session-id=somebody; shop_currency=EUR"}
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    status, home = shop.get("/", **visitor)
    assert (status, home.count("/product/"), "EUR 17.69" in home) == (200, 10, True)
    assert "Sunglasses" in shop.get("/product/OLJCESPC7Z", **visitor)[1]
    added, _ = shop.ask("POST", "/cart", "product_id=OLJCESPC7Z&quantity=2", **visitor, **form)
    assert (added.status, added.headers["Location"]) == (302, "/cart")
    assert "2 of OLJCESPC7Z" in shop.get("/cart", **visitor)[1]
    ordered, text = shop.ask("POST", "/cart/checkout", "email=somebody@example.com", **visitor, **form)
    assert (ordered.status, "Your order is complete!" in text) == (200, True)
    assert "Your shopping cart is empty!" in shop.get("/cart", **visitor)[1]
    assert shop.get("/product/none", **visitor)[0] == 500
    assert shop.get("/_healthz") == (200, "ok")


def test_who_waits_for_the_shop_goes_on_when_it_answers(program: Path, shop: Service) -> None:
    waiting = [str(program), "sh", "-exc", "a script"]
    address = {"FRONTEND_ADDR": f"127.0.0.1:{shop.port}"}
    assert subprocess.run(waiting, env=address, capture_output=True, timeout=60, check=False).returncode == 0
    other = subprocess.run(waiting, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert (other.returncode, "has no shell" in other.stderr) == (127, True)


def test_wget_prints_what_it_gets(program: Path) -> None:
    with serving(program, "hellodemo") as service:

        def wget(*arguments: str) -> tuple[int, str]:
            done = subprocess.run(
                [program, "wget", *arguments], capture_output=True, text=True, timeout=60, check=False
            )
            return done.returncode, done.stdout + done.stderr

        url = f"localhost:{service.port}/helloWorld/sayHello"
        assert wget("-qO-", url) == (0, "Hello, World from service helloWorld !\n")
        assert wget("-qO-", f"{url}/none") == (1, "")
        assert "404" in wget("-O-", f"{url}/none")[1]
        assert "200 OK" in wget("-S", "-O-", url)[1]
        assert "unknown" in wget("--mirror", url)[1]
