"""A service for tests: says which instance it is, and registers with a gateway by the chassis."""

import argparse

import uvicorn
from fastapi import FastAPI

from chassis.registration import register


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--lease", type=float, default=1.0)
    arguments = parser.parse_args()
    app = FastAPI()

    @app.get("/{path:path}")
    def answer(path: str) -> str:
        return arguments.instance

    address = f"127.0.0.1:{arguments.port}"
    register(
        app,
        gateway=arguments.gateway,
        upstream="catalog",
        address=address,
        instance=arguments.instance,
        lease=arguments.lease,
    )
    uvicorn.run(app, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
