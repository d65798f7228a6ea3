"""The shop's three faces as they are, each with four endpoints more that isolate the framework.

| Endpoint | What it costs |
|---|---|
| ``GET /bench/plaintext`` | routing, and nothing else |
| ``GET /bench/json`` | a small document, made into JSON by the framework's own means |
| ``POST /bench/validate`` | an order with its items, judged, and added up |
| ``GET /bench/slow`` | waiting for another server, which holds a thread or does not |

Each is written as users of that framework write it, with two decisions that hold for all:

- ``validate`` reads bodies and answers refusals as the other endpoints of that face do (size, type and syntax first,
  then the model; RFC 9457), so that the answers to valid and invalid documents are equal. Pydantic judges in all three:
  in FastAPI from the signature, in Flask and Django by the shop's own ``posted``.
- ``slow`` asks through one client per process, see ``downstream``. Waiting takes a thread in Flask and Django, and
  none in FastAPI: that is the difference to be seen. ``django_async`` has the same four as Django's coroutines.

The paths are declared after the shop's own, since that is where an application's new endpoints go.
"""
