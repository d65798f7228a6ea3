"""Health endpoints in FastAPI."""

from fastapi import APIRouter, Depends

from shop.web.fastapi_app.exchange import TheShop, no_store, problems
from shop.web.health import Health, ready

router = APIRouter(tags=["health"], dependencies=[Depends(no_store)])


@router.get("/livez")
async def livez() -> Health:
    return Health()


@router.get("/readyz", responses=problems(503))
def readyz(shop: TheShop) -> Health:
    return ready(shop)
