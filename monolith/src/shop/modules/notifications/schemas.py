"""The notifications' wire models."""

from shop.kernel.wire import Answer, Paging, QueryBool, Timestamp


class NotificationAnswer(Answer):
    id: int
    kind: str
    subject: str
    body: str
    read_at: Timestamp | None
    created_at: Timestamp


class NotificationQuery(Paging):
    unread: QueryBool | None = None
