"""Problems as answers, and the length of every body."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from shop.kernel.errors import InternalError, Problem
from shop.web.django_app.exchange import problem_answer

log = logging.getLogger(__name__)


class ProblemMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code not in {204, 304}:
            response.headers["Content-Length"] = str(len(response.content))
        return response

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse:
        if isinstance(error, Problem):
            return problem_answer(error)
        log.error("unforeseen failure", exc_info=error)
        return problem_answer(InternalError())
