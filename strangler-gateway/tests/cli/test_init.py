"""`strangler init`: a first configuration for any monolith, however odd its OpenAPI document."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strangler.config import Loaded, load
from strangler.model.route import PathKind, Route
from support.processes import free_port

from .conftest import Ran, strangler

NASTY = Path(__file__).with_name("nasty.openapi.yaml")
MONOLITH = "http://127.0.0.1:8000"


def init(*arguments: object) -> Ran:
    return strangler("init", "--monolith", MONOLITH, *arguments)


def written(document: Any, folder: Path) -> dict[str, Route]:
    """The routes that are written for an OpenAPI document, by name."""
    (folder / "openapi.json").write_text(json.dumps(document))
    ran = init("--openapi", folder / "openapi.json", "--force")
    assert ran.status == 0, ran.err
    return load(Path("strangler.yaml")).topology.by_name


def paths(**items: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": items}


def test_a_url_alone_makes_a_valid_file_without_routes() -> None:
    assert init().status == 0
    assert strangler("check").status == 0
    assert [route.name for route in load(Path("strangler.yaml")).topology.routes] == ["catch-all"]


def test_a_file_that_exists_is_kept_unless_forced() -> None:
    Path("strangler.yaml").write_text("mine")
    ran = init()
    assert ran.status == 2
    assert "--force overwrites it" in ran.err
    assert Path("strangler.yaml").read_text() == "mine"
    assert init("--force").status == 0
    assert init("--output", "other.yaml").status == 0


@pytest.fixture
def nasty() -> Loaded:
    ran = init("--openapi", NASTY)
    assert ran.status == 0, ran.err
    assert strangler("check").status == 0
    return load(Path("strangler.yaml"))


def test_a_nasty_document_becomes_a_valid_file(nasty: Loaded) -> None:
    routes = nasty.topology.by_name
    found = {
        name: (min(route.match.methods), route.match.path, route.module)
        for name, route in routes.items()
        if route.match.methods
    }
    assert found == {
        "list-products": ("GET", "/api/v2/products", "catalog-search"),
        "post-api-v2-products": ("POST", "/api/v2/products", "catalog-search"),
        "get-api-v2-products-product-id": ("GET", "/api/v2/products/{product_id}", "catalog-search"),
        "head-api-v2-products-product-id": ("HEAD", "/api/v2/products/{product_id}", "products"),
        "trace-api-v2-products-product-id": ("TRACE", "/api/v2/products/{product_id}", "products"),
        "get-api-v2-products-id-parts-id-2": ("GET", "/api/v2/products/{id}/parts/{id_2}", "products"),
        "put-api-v2-products-id-image": ("PUT", "/api/v2/products/{id}/image", "products"),
        "search-products": ("GET", "/api/v2/search", "search"),
        "get-api-v2-files": ("GET", "/api/v2/files", "files"),
        "delete-api-v2-files": ("DELETE", "/api/v2/files", "files"),
        "get-api-v2-proxy": ("GET", "/api/v2/proxy", "proxy"),
        "get-api-v2-cafe": ("GET", "/api/v2/café/", "cafe"),
        "get-api-v2-no-slash": ("GET", "/api/v2/no-slash", "no-slash"),
        "get-api-v2-on": ("GET", "/api/v2/on", "on"),
        "get-api-v2-null": ("GET", "/api/v2/null", "null"),
        "a-very-long-name-that-some-generator-made-from-all-of-the-packages-and-classes-a": (
            "GET",
            "/api/v2/long",
            "long",
        ),
        "get-api-v2-catch-all": ("GET", "/api/v2/catch-all", "catch-all-module"),
        "options-api-v2-referenced": ("OPTIONS", "/api/v2/referenced", "referenced"),
        "shared-change": ("PATCH", "/api/v2/referenced", "referenced"),
        "read-item": ("GET", "/api/v2/fastapi/{item_id}", "fastapi"),
        "get-api-v2-7": ("GET", "/api/v2/7", "7"),
    }
    assert routes["search-products"].match.query == (("kind", "product"),)
    assert routes["get-api-v2-files"].match.kind is PathKind.PREFIX


def test_what_cannot_be_a_route_is_left_to_the_monolith_with_the_reason() -> None:
    left_out = {each["operation"]: each["why"] for each in init("--openapi", NASTY, "--json").document["left_out"]}
    assert set(left_out) == {
        "GET /products/{other_id}",
        "GET /search?kind={kind}",
        "GET /reports/{year}-{month}.pdf",
        "GET /a//b",
        "GET /a/../b",
        "GET /semi;colon",
    }
    assert left_out["GET /products/{other_id}"] == "takes the same requests as GET /products/{product-id}"
    text = Path("strangler.yaml").read_text()
    assert all(f"# left to the monolith: {operation}: " in text for operation in left_out)


def test_unsafe_methods_write_their_module(nasty: Loaded) -> None:
    writes = {route.name: route.writes for route in nasty.topology.routes if route.writes}
    assert writes == {
        "post-api-v2-products": ("catalog-search",),
        "put-api-v2-products-id-image": ("products",),
        "delete-api-v2-files": ("files",),
        "shared-change": ("referenced",),
    }


def test_modules_come_from_the_first_segment_after_what_all_paths_share(tmp_path: Path) -> None:
    routes = written(paths(**{"/shop/api/v1/a/{x}": {"get": {}}, "/shop/api/v1/b": {"get": {}}}), tmp_path)
    assert {route.module for route in routes.values()} == {"a", "b", "catch-all"}


def test_a_single_path_keeps_its_segment_as_module(tmp_path: Path) -> None:
    assert "orders" in {route.module for route in written(paths(**{"/api/orders": {"get": {}}}), tmp_path).values()}


@pytest.mark.parametrize(
    "document",
    [
        paths(**{"/": {"get": {}}}),
        paths(**{"/{a}": {"get": {}}, "/{b}/": {"get": {}}}),
        paths(**{"/{rest:path}": {"get": {}}}),
        {"swagger": "2.0", "basePath": "/api", "paths": {"/a": {"get": {}}}},
        {"openapi": "3.0.0", "servers": [{"url": "//[bad"}], "paths": {"/a": {"get": {}}}},
        {"openapi": "3.0.0", "servers": "none", "paths": {"/a": {"get": None, "post": {"tags": "text"}}}},
        {"paths": {}},
    ],
)
def test_odd_documents_give_files_that_check_accepts(document: Any, tmp_path: Path) -> None:
    written(document, tmp_path)


def test_the_base_path_of_swagger_2_stands_before_every_path(tmp_path: Path) -> None:
    routes = written({"swagger": "2.0", "basePath": "/api", "paths": {"/a": {"get": {}}}}, tmp_path)
    assert routes["get-api-a"].match.path == "/api/a"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--monolith", "ftp://x"), 2, "--monolith: "),
        (("--monolith", "http://127.0.0.1:8000/app"), 2, "no path"),
        (("--monolith", MONOLITH, "--openapi", "nowhere.json"), 2, "nowhere.json cannot be read"),
        (("--monolith", MONOLITH, "--openapi", __file__), 2, "neither JSON nor YAML"),
        (("--monolith", MONOLITH, "--output", "no/such/folder.yaml"), 2, "cannot be written"),
        (("--monolith", MONOLITH, "--openapi", "http://127.0.0.1:1/openapi.json"), 1, "is the monolith running?"),
        ((), 2, "--monolith"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], status: int, message: str) -> None:
    ran = strangler("init", *arguments)
    assert (ran.status, message in ran.err) == (status, True), ran.err
    assert not Path("strangler.yaml").exists()


@pytest.mark.parametrize("text", ["[]", '"text"', "{}", '{"paths": []}', "null"])
def test_what_is_no_openapi_document_is_refused(text: str) -> None:
    Path("x.json").write_text(text)
    ran = init("--openapi", "x.json")
    assert (ran.status, "no OpenAPI document" in ran.err) == (2, True)


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[str]:
    """Serves the nasty document, and 404 for anything else."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "openapi.yaml").write_bytes(NASTY.read_bytes())

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "web"))

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_document_is_fetched_from_a_url(web_server: str) -> None:
    assert init("--openapi", f"{web_server}/openapi.yaml").status == 0
    assert f"# One route per operation of {web_server}/openapi.yaml." in Path("strangler.yaml").read_text()
    ran = init("--openapi", f"{web_server}/nothing", "--force")
    assert (ran.status, "answered 404" in ran.err) == (1, True)
