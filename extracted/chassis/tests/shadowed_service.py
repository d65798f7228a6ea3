"""A service with a database, an outbox and a call to somebody else, by which shadowed writes are tried.

Run as a program it serves until it is killed: `shadowed_service.py DATABASE_URL PORT`.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, Request, Response
from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from chassis.application import create_app
from chassis.database import Database
from chassis.outgoing import outgoing
from chassis.problems import NotFound, Problem
from chassis.server import serve
from chassis.settings import ServiceSettings
from strangler_kit.recording import Outbox

SECRET = "the secret by which shadowed requests are signed"
metadata = MetaData()
Id = BigInteger().with_variant(Integer, "sqlite")
things = Table(
    "things", metadata, Column("id", Id, primary_key=True), Column("name", String, unique=True, nullable=False),
    Column("size", Integer, nullable=False),
)  # fmt: skip
parts = Table(
    "parts", metadata, Column("id", Id, primary_key=True),
    Column("thing_id", ForeignKey("things.id", deferrable=True, initially="DEFERRED"), nullable=False),
)  # fmt: skip
messages = Table(
    "messages", metadata, Column("id", Id, primary_key=True), Column("topic", String), Column("payload", String)
)
Body = dict[str, Any]


@dataclass
class Outside:
    """What requests have let out of the service, and what tests hold them by."""

    charged: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    left_over: asyncio.Task[Any] | None = None


def async_url(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername="sqlite+aiosqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg")


class Honest:
    """Endpoints as services have them."""

    def __init__(self, url: str, outside: Outside) -> None:
        self.url = url
        self.database = Database(async_url(url), outbox=Outbox("messages"), tables=metadata, shadow_share=1.0)
        self.outside = outside

    async def add(self, name: str, size: int = 1) -> int:
        row = insert(things).values(name=name, size=size).returning(things.c.id)
        async with self.database.writing() as connection:
            made: int = (await connection.execute(row)).scalar_one()
            await connection.execute(insert(messages).values(topic="thing.added", payload=f'{{"name": "{name}"}}'))
        return made

    async def charge(self, name: str) -> str:
        async def make() -> str:
            self.outside.charged.append(name)
            return "ref"

        return await outgoing("payments.charge", {"name": name}, make, stub=lambda: "ref")

    async def post(self, body: Body) -> Body:
        try:
            made = await self.add(body["name"], body.get("size", 1))
        except IntegrityError as error:
            raise Problem(409, "duplicate", "Duplicate", "There is one.") from error
        return {"id": made, "name": body["name"], "reference": await self.charge(body["name"])}

    async def patch(self, thing_id: int, body: Body) -> Body:
        this = things.c.id == thing_id
        async with self.database.writing() as connection:
            row = (await connection.execute(select(things).where(this).with_for_update())).one_or_none()
            if row is None:
                raise NotFound
            await connection.execute(update(things).where(this).values(size=row.size + body["by"]))
        return {"size": row.size + body["by"]}

    async def remove(self, thing_id: int) -> Response:
        async with self.database.writing() as connection:
            await connection.execute(delete(things).where(things.c.id == thing_id))
        return Response(status_code=204)

    async def names(self) -> list[str]:
        async with self.database.reading() as connection:
            return list((await connection.execute(select(things.c.name).order_by(things.c.id))).scalars())

    async def twice(self) -> list[str]:
        await self.add("first")
        found = await self.names()
        with contextlib.suppress(IntegrityError):
            await self.add("first")
        await self.add("second")
        return [*found, *await self.names()]

    async def nested(self) -> int:
        async with self.database.writing() as connection:
            await connection.execute(insert(things).values(name="outer", size=1))
            async with self.database.reading() as other:
                await other.execute(delete(things))
            return len((await connection.execute(select(things.c.id))).all())

    async def gathered(self) -> int:
        await asyncio.gather(*(self.add(f"g{number}") for number in range(5)))
        return len(await self.names())

    async def deferred(self) -> str:
        try:
            async with self.database.writing() as connection:
                await connection.execute(insert(parts).values(thing_id=12345))
        except IntegrityError as error:
            raise Problem(409, "dangling", "Dangling", "There is no such thing.") from error
        return "ok"

    async def by_session(self) -> int:
        async with self.database.writing() as connection, AsyncSession(connection) as session:
            await session.execute(insert(things).values(name="by a session", size=1))
            await session.commit()
            await session.execute(insert(things).values(name="never", size=1))
            await session.rollback()
        return len(await self.names())

    async def echo(self, request: Request) -> int:
        return len(await request.body())


class Troublesome(Honest):
    """Endpoints that fail, linger, or try to get out."""

    async def broken(self) -> None:
        await self.add("broken")
        raise RuntimeError("after it has written")

    async def background(self, tasks: BackgroundTasks) -> str:
        async def later() -> None:
            await self.outside.go_on.wait()
            await self.add("left over")

        tasks.add_task(self.add, "in the background")
        self.outside.left_over = asyncio.create_task(later())
        await self.add("in front")
        return "ok"

    async def held(self) -> str:
        async with self.database.writing() as connection:
            await connection.execute(update(things).values(size=99))
            await connection.execute(insert(messages).values(topic="held", payload="{}"))
            self.outside.reached.set()
            print("reached", flush=True)
            await self.outside.go_on.wait()
        return "ok"

    async def advisory(self) -> str:
        async with self.database.writing() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(7), pg_advisory_xact_lock(8)"))
        return "ok"

    async def long(self) -> Response:
        await self.add("long")
        return Response(b"x" * 9 * 1024 * 1024)

    async def escaping(self, way: str, tasks: BackgroundTasks) -> str:
        escaped = insert(things).values(name="escaped", size=1)
        if way == "engine":
            engine = create_async_engine(async_url(self.url))
            async with engine.begin() as own:
                await own.execute(escaped)
        if way == "call":
            await outgoing("mail.send", {}, lambda: self.charge("no stub"))
        if way == "driver later":
            tasks.add_task(self._commit_by_driver)
        async with self.database.writing() as connection:
            await connection.execute(escaped)
            await self._end(connection, way)
            if way == "rollback":
                await connection.execute(escaped)
        return "ok"

    async def _commit_by_driver(self) -> None:
        async with self.database.writing() as connection:
            raw: Any = await connection.get_raw_connection()
            await raw.driver_connection.commit()

    async def _end(self, connection: AsyncConnection, way: str) -> None:
        match way:
            case "commit":
                await connection.commit()
            case "rollback":
                await connection.rollback()
            case "text":
                await connection.execute(text("commit"))
            case "driver":
                await self._commit_by_driver()
            case "commented":
                await connection.exec_driver_sql("/* by hand */ -- of the handler\nCOMMIT")
            case "nested comment":  # SQLite's comments do not nest
                nested = "/* a /* b */ */" if connection.dialect.name == "postgresql" else "/* a /* b */"
                await connection.exec_driver_sql(f"{nested} COMMIT")
            case "after a comment":
                await connection.exec_driver_sql("SELECT 1; /* done */ COMMIT")
            case "definition":
                await connection.execute(DDL("COMMIT"))
            case "COMMIT" | "SELECT 1; COMMIT" | " end ":
                await connection.exec_driver_sql(way)


def build(url: str, outside: Outside, **settings: Any) -> FastAPI:
    here = Troublesome(url, outside)
    router = APIRouter(prefix="/api")
    router.add_api_route("/things", here.post, methods=["POST"], status_code=201)
    router.add_api_route("/things", here.names)
    router.add_api_route("/things/{thing_id}", here.patch, methods=["PATCH"])
    router.add_api_route("/things/{thing_id}", here.remove, methods=["DELETE"], status_code=204)
    router.add_api_route("/escaping/{way}", here.escaping, methods=["POST"])
    for act in (here.twice, here.nested, here.gathered, here.deferred, here.by_session, here.echo, here.broken,
                here.background, here.held, here.advisory, here.long):  # fmt: skip
        router.add_api_route(f"/{act.__name__}", act, methods=["POST"], response_model=None)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await here.database.dispose()

    given = ServiceSettings(**settings)
    return create_app(title="Things", version="1", settings=given, routers=[router], checks={}, lifespan=lifespan)


if __name__ == "__main__":
    secret = {"STRANGLER_SHADOW_SECRET": SECRET}
    serve("things", lambda: build(sys.argv[1], Outside(), **secret), ServiceSettings(port=int(sys.argv[2]), **secret))
