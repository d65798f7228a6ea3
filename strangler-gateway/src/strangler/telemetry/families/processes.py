"""Metrics of the gateway's processes: their clients, their event loops, their logs and what they cost."""

from strangler.telemetry.family import Family

LOG_DROPPED = Family(
    "strangler_access_log_dropped_total",
    "counter",
    ("reason",),
    "Access log lines that are lost; `slow`: the disk did not keep up, `error`: it did not take them.",
)
LOG_SAMPLED_OUT = Family(
    "strangler_access_log_sampled_out_total",
    "counter",
    (),
    "Requests without a line in the access log since `access_log.sample` left them out.",
)
WORKER_REVISION = Family(
    "strangler_worker_revision", "gauge", ("slot",), "The revision that a worker has acknowledged."
)
WORKER_READY = Family(
    "strangler_worker_ready", "gauge", ("slot",), "1 if the slot's worker accepts connections, else 0."
)
WORKER_CONNECTIONS = Family("strangler_worker_connections", "gauge", ("slot",), "Client connections that are open.")
WORKER_IN_FLIGHT = Family("strangler_worker_requests_in_flight", "gauge", ("slot",), "Requests under way.")
WORKER_RESTARTS = Family("strangler_worker_restarts_total", "counter", ("slot",), "Workers that had to be replaced.")
CLIENTS_ACCEPTED = Family("strangler_client_connections_accepted_total", "counter", (), "Client connections accepted.")
ACCEPT_PAUSES = Family(
    "strangler_accept_pauses_total",
    "counter",
    (),
    "Times that a worker stopped accepting for a while because its descriptors were running out.",
)
CLIENTS_REFUSED = Family(
    "strangler_client_connections_refused_total",
    "counter",
    ("reason",),
    "Client connections turned away; `cap`: the worker had as many as `limits.connections` allows; `client`: the "
    "client had as many as `limits.connections_per_client` allows.",
)
TUNNELS = Family("strangler_tunnels", "gauge", ("slot",), "WebSockets that are open.")
TUNNEL_BYTES = Family(
    "strangler_tunnel_bytes_total",
    "counter",
    ("direction",),
    "Bytes relayed through WebSockets; `in`: from clients, `out`: to them.",
)
WORKER_CPU = Family("strangler_worker_cpu_seconds_total", "counter", ("slot",), "Processor time of the workers.")
WORKER_MEMORY = Family("strangler_worker_memory_bytes", "gauge", ("slot",), "Memory that a worker has resident.")
SNAPSHOT_AGE = Family(
    "strangler_worker_snapshot_age_seconds", "gauge", ("slot",), "How long a worker has had its present snapshot."
)
LOOP_LAG = Family(
    "strangler_event_loop_lag_seconds",
    "histogram",
    ("slot",),
    "By how much a tick of a worker's event loop was late, ten times a second: what every request waits besides.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
LOOP_BLOCKED = Family(
    "strangler_event_loop_blocked_total",
    "counter",
    ("slot",),
    "How often the event loop was blocked for longer than `gateway.watchdog`; stderr has the stack.",
)
SPANS_SENT = Family("strangler_trace_spans_sent_total", "counter", (), "Spans that the collector of traces took.")
SPANS_DROPPED = Family(
    "strangler_trace_spans_dropped_total",
    "counter",
    ("reason",),
    "Spans that are lost; `queue`: too many waited, `collector`: it did not take them.",
)
CONTROL_CPU = Family("strangler_control_cpu_seconds_total", "counter", (), "Processor time of control.")
CONTROL_MEMORY = Family("strangler_control_memory_bytes", "gauge", (), "Memory that control has resident.")
