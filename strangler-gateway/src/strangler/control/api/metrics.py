"""``GET /metrics`` for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from strangler.control.api.dependencies import Plane
from strangler.control.metrics import GatewayCollector

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(plane: Plane) -> Response:
    """All workers' counts together, in Prometheus's text format. Names and labels: the metrics reference."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(GatewayCollector(plane))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
