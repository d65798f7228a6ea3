"""What resources are given by FastAPI."""

from typing import Annotated

from fastapi import Depends, Request

from strangler.control.plane import ControlPlane


def _plane(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.plane
    return plane


Plane = Annotated[ControlPlane, Depends(_plane)]
"""The control plane that this application stands before."""
