"""``GET /metrics`` for Prometheus."""

import asyncio
import logging

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from strangler.control.api.dependencies import Plane
from strangler.control.metrics import GatewayCollector
from strangler.control.plane import ControlPlane
from strangler.control.shadow_reports import Standing
from strangler.ledger.ledger import LedgerUnavailable

router = APIRouter(tags=["metrics"])
logger = logging.getLogger(__name__)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(plane: Plane) -> Response:
    """All workers' counts together, in Prometheus's text format. Names and labels: the metrics reference."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(GatewayCollector(plane, await asyncio.to_thread(_standings, plane)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _standings(plane: ControlPlane) -> list[Standing]:
    try:
        return plane.shadow.standings(plane.publisher.snapshot)
    except LedgerUnavailable as error:  # The other metrics are worth having.
        logger.warning("%s; its metrics are left out", error)
        return []
