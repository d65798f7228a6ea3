"""Who is asked: by load, around those that fail, and when endpoints come and go while requests are under way."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from strangler.http1.response import ResponseParser
from strangler.model.failure import Failure
from strangler.model.tls import UpstreamTls
from strangler.model.upstream import Balance, Breaker, Endpoint, HealthCheck, Outlier, Share, Upstream
from strangler.tls.refusal import CertificateRefused
from strangler.upstream.balancer import Balancer
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool
from support.asker import OK, Asker, run, server, tasks, until


def at(*ports: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint("127.0.0.1", port) for port in ports)


def balancer(*ports: int, **settings: Any) -> Balancer:
    upstream = Upstream("shop", at(*ports), **settings)
    return Balancer(upstream, ResponseParser(), Cork(asyncio.get_running_loop()), chance=random.Random(0).random)


def chosen(among: Balancer, times: int, **how: Any) -> Counter[int]:
    pools = [among.choose_with_care(object(), **how) for _ in range(times)]
    return Counter(pool.endpoint.port if pool is not None else 0 for pool in pools)


def fail(pool: EndpointPool, times: int = 10, failure: Failure = Failure.RESPONSE_TIMEOUT) -> None:
    for _ in range(times):
        pool.note_failure(None, failure)


def err(pool: EndpointPool, times: int = 5) -> None:
    for _ in range(times):
        pool.note_answer(None, 500)


def test_an_endpoint_that_gives_no_answer_is_not_asked_and_others_are() -> None:
    async def test() -> None:
        among = balancer(1, 2, 3, outlier=None)
        assert among.calm
        fail(among.pools[0])
        assert not among.calm
        assert chosen(among, 10) == {2: 5, 3: 5}
        assert among.askable() == 2
        assert among.askable(but=among.pools[1]) == 1

    run(test)


def test_an_endpoint_that_refuses_connections_is_passed_over_but_never_forbidden() -> None:
    async def test() -> None:
        alone = balancer(1, outlier=None)
        fail(alone.pools[0], times=100, failure=Failure.CONNECT)
        assert alone.askable() == 1  # It may have been started by now, and to ask costs nobody anything.
        among = balancer(1, 2)
        fail(among.pools[0], failure=Failure.CONNECT)
        assert chosen(among, 4) == {2: 4}

    run(test)


def test_when_every_breaker_is_open_nobody_is_asked() -> None:
    async def test() -> None:
        among = balancer(1, 2, outlier=None)
        for pool in among.pools:
            fail(pool)
        assert chosen(among, 3) == {0: 3}
        assert among.askable() == 0

    run(test)


def test_advice_gives_way_where_it_would_leave_nobody_unless_there_is_another_resort() -> None:
    async def test() -> None:
        among = balancer(1, 2, outlier=Outlier(max_percent=100), breaker=None)
        err(among.pools[0])
        assert chosen(among, 4) == {2: 4}
        among.pools[1].standing.checked(False)
        assert chosen(among, 4) == {1: 2, 2: 2}
        assert chosen(among, 4, last_resort=False) == {0: 4}

    run(test)


def test_no_more_endpoints_are_ejected_than_may_be() -> None:
    async def test() -> None:
        among = balancer(*range(1, 21), outlier=Outlier(max_percent=10))
        for pool in among.pools:
            err(pool)
        assert sum(pool.ejected for pool in among.pools) == 2
        assert len(chosen(among, 18)) == 18

    run(test)


def test_failures_that_are_not_the_endpoints_say_nothing_about_it() -> None:
    async def test() -> None:
        among = balancer(1, breaker=Breaker(minimum=1), outlier=Outlier(failures=1))
        for failure in (Failure.POOL_FULL, Failure.QUEUE_TIMEOUT, Failure.CLIENT_GONE, Failure.REQUEST_TIMEOUT):
            fail(among.pools[0], failure=failure)
        assert among.calm
        for status in (200, 404, 429, 499):
            among.pools[0].note_answer(None, status)
        assert among.calm

    run(test)


def test_it_is_calm_again_when_time_is_over_although_nobody_asks() -> None:
    async def test() -> None:
        among = balancer(1, 2, outlier=Outlier(base_time=0.05))
        err(among.pools[0])
        assert not among.calm
        await until(lambda: (among.tick(asyncio.get_running_loop().time()), among.calm)[1])

    run(test)


def test_the_time_of_an_ejection_and_of_a_breaker_is_over_when_it_is_over() -> None:
    """Also while others are asked in between, for whom nothing has to be looked up."""

    async def test() -> None:
        among = balancer(1, 2, 3, outlier=Outlier(base_time=0.2), breaker=Breaker(open_time=0.2, probes=1))
        err(among.pools[0])
        fail(among.pools[1], times=10)
        assert chosen(among, 10) == {3: 10}
        seen = Counter[int]()
        await until(lambda: (seen.update(chosen(among, 1)), seen[1] and seen[2])[1] > 0)
        assert seen[2] == 1
        assert set(chosen(among, 10)) == {1, 3}, "the only probe of the other is under way"

    run(test)


def test_many_endpoints_are_not_gone_through_for_each_request() -> None:
    async def test() -> None:
        among = balancer(*range(1, 501))
        err(among.pools[7])
        looked: list[float] = []
        for pool in among.pools:
            breaker = pool.standing.breaker
            assert breaker is not None
            breaker.admits = lambda now: looked.append(now) or True  # type: ignore[method-assign,func-returns-value]
        assert 8 not in chosen(among, 1000)
        assert looked == []

    run(test)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_of_two_taken_by_chance_the_less_loaded_is_asked(count: int) -> None:
    async def test() -> None:
        release = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                await release.wait()
                writer.write(OK)

        async with server(slow) as port:
            among = balancer(port, *range(1, count), balance=Balance.LEAST_LOADED)
            busy, *others = among.pools
            asker = Asker().ask(busy)
            await asker.got.wait()
            assert busy.load == 1
            assert busy not in {among.choose() for _ in range(50)}
            assert set(others) == {among.choose() for _ in range(50)}
            for other in others:
                assert among.choose(avoid=other) is not other
            release.set()
            await asker.answered()

    run(test)


def test_replaced_endpoints_keep_what_stays_and_finish_what_goes() -> None:
    async def test() -> None:
        release = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                await release.wait()
                writer.write(OK)

        async with server() as staying, server(slow) as going, server() as coming:
            among = balancer(staying, going, max_connections=1)
            stays, goes = among.pools
            await Asker().ask(stays).answered()
            running, waiting = Asker().ask(goes), Asker().ask(goes)
            await running.got.wait()

            among.replace_endpoints(at(coming, staying, coming))
            assert [pool.endpoint.port for pool in among.pools] == [coming, staying]
            assert among.pools[1] is stays
            assert stays.state().idle == 1
            assert goes not in {among.choose() for _ in range(4)}

            release.set()
            assert [(await asker.answered()).body for asker in (running, waiting)] == [b"ok"] * 2
            await until(lambda: goes.state().active == goes.state().idle == 0)
            among.retire()

    run(test)


def test_an_endpoint_that_stays_keeps_its_standing() -> None:
    async def test() -> None:
        among = balancer(1, 2, outlier=None)
        fail(among.pools[0])
        among.replace_endpoints(at(1, 3))
        assert chosen(among, 4) == {3: 4}
        among.replace_endpoints(at(3))
        assert among.calm

    run(test)


def test_without_endpoints_there_is_nobody_to_ask_until_there_are() -> None:
    async def test() -> None:
        among = balancer(1)
        among.replace_endpoints(())
        assert not among.calm
        assert chosen(among, 2) == {0: 2}
        among.replace_endpoints(at(2))
        assert among.calm
        assert among.choose().endpoint.port == 2

    run(test)


def test_a_configuration_in_which_only_the_endpoints_changed_keeps_the_connections() -> None:
    async def test() -> None:
        async with server() as port, server() as other:
            balancers = Balancers(ResponseParser(), Cork(asyncio.get_running_loop()))
            before = balancers.update((Upstream("shop", at(port)),))["shop"]
            await Asker().ask(before.choose()).answered()
            after = balancers.update((Upstream("shop", at(other, port)),))["shop"]
            assert after is before
            assert [pool.state().idle for pool in after.pools] == [0, 1]
            changed = balancers.update((Upstream("shop", at(other, port), balance=Balance.LEAST_LOADED),))["shop"]
            assert changed is not before
            assert [pool.state().idle for pool in after.pools] == [0, 0]

    run(test)


def test_a_configuration_that_cannot_be_used_changes_nothing_and_leaves_nobody_asking() -> None:
    async def test() -> None:
        balancers = Balancers(ResponseParser(), Cork(asyncio.get_running_loop()))
        shop = balancers.update((Upstream("shop", at(1)),))["shop"]
        checked = Upstream("checked", at(2), health=HealthCheck("/", interval=60))
        broken = Upstream("broken", at(3), tls=UpstreamTls(ca="/nowhere/ca.pem"))
        with pytest.raises(CertificateRefused):
            balancers.update((Upstream("shop", at(4)), checked, broken))
        assert balancers.named("shop") is shop
        assert [pool.endpoint.port for pool in shop.pools] == [1]
        await until(lambda: not tasks("HealthChecker"))

    run(test)


# Priorities and weights


def sharing(shares: dict[int, Share], **settings: Any) -> Balancer:
    """A balancer of which endpoints, by port, get what."""
    among = balancer(**settings)
    among.replace_endpoints(at(*shares), {endpoint: shares[endpoint.port] for endpoint in at(*shares)})
    return among


def test_requests_are_shared_by_weight() -> None:
    async def test() -> None:
        among = sharing({1: Share(weight=3), 2: Share(weight=1)})
        assert among.calm
        assert Counter(among.choose().endpoint.port for _ in range(400)) == {1: 300, 2: 100}
        assert all(among.choose(avoid=among.pools[0]) is among.pools[1] for _ in range(10))
        among.pools[1].standing.checked(False)
        assert chosen(among, 10) == {1: 10}

    run(test)


def test_where_all_are_alike_nothing_stands_between_a_request_and_its_endpoint() -> None:
    async def test() -> None:
        for shares in ({1: Share(), 2: Share()}, {1: Share(7, 0), 2: Share(7, 0)}, {1: Share(3, 5), 2: Share(3, 5)}):
            among = sharing(shares)
            assert among._turns is among.pools
            assert not among._groups

    run(test)


def test_endpoints_of_a_later_priority_are_asked_while_none_before_them_may_be() -> None:
    async def test() -> None:
        shares = {1: Share(10), 2: Share(10), 3: Share(20, 3), 4: Share(20, 1)}
        among = sharing(shares, outlier=None, breaker=Breaker(open_time=0.1, probes=1))
        assert {among.choose().endpoint.port for _ in range(20)} == {1, 2}
        fail(among.pools[0])
        assert chosen(among, 20) == {2: 20}
        fail(among.pools[1])
        assert chosen(among, 40) == {3: 30, 4: 10}
        await until(lambda: {1, 2} & set(chosen(among, 1)) != set())

    run(test)


def test_a_backup_that_is_unwell_changes_nothing_for_those_before_it() -> None:
    async def test() -> None:
        among = sharing({1: Share(0, 3), 2: Share(0, 1), 3: Share(1)})
        among.pools[2].standing.checked(False)
        assert chosen(among, 40) == {1: 30, 2: 10}

    run(test)


@pytest.mark.parametrize("balance", list(Balance))
def test_a_second_attempt_goes_to_the_next_priority_where_the_first_has_nobody_else(balance: Balance) -> None:
    async def test() -> None:
        among = sharing({1: Share(0), 2: Share(1), 3: Share(1)}, balance=balance)
        first = among.choose()
        assert first.endpoint.port == 1
        assert {among.choose(avoid=first).endpoint.port for _ in range(50)} == {2, 3}
        among.pools[1].standing.checked(False)
        assert chosen(among, 5, avoid=first) == {3: 5}
        assert chosen(among, 5) == {1: 5}

    run(test)


def test_of_two_taken_by_chance_the_less_loaded_for_its_share_is_asked() -> None:
    async def test() -> None:
        release = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                await release.wait()
                writer.write(OK)

        async with server(slow) as heavy, server(slow) as light:
            among = sharing({heavy: Share(weight=3), light: Share(weight=1)}, balance=Balance.LEAST_LOADED)
            idle = Counter(among.choose().endpoint.port for _ in range(1000))
            assert 700 < idle[heavy] < 800
            askers = [Asker().ask(pool) for pool in among.pools]
            for asker in askers:
                await asker.got.wait()
            busy = Counter(among.choose().endpoint.port for _ in range(1000))
            assert busy[heavy] > 900, "one request is less for it than for the other"
            assert among.choose(avoid=among.pools[0]) is among.pools[1]
            release.set()
            for asker in askers:
                await asker.answered()

    run(test)


def test_other_shares_leave_connections_as_they_are() -> None:
    async def test() -> None:
        among = sharing({1: Share(weight=3), 2: Share(weight=1)})
        before = among.pools
        among.replace_endpoints(at(1, 2), {endpoint: Share() for endpoint in at(1, 2)})
        assert among.pools == before
        assert Counter(among.choose().endpoint.port for _ in range(10)) == {1: 5, 2: 5}

    run(test)
