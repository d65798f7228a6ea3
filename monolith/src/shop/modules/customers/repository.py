"""All queries of the customers module."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shop.kernel.database import insert_or
from shop.modules.customers.models import Customer, LoginSession, SigningKey


def customer(session: Session, customer_id: int) -> Customer | None:
    return session.get(Customer, customer_id)


def customer_by_email(session: Session, email: str) -> Customer | None:
    return session.scalar(select(Customer).where(Customer.email == email))


def customer_of_session(session: Session, token_sha256: str, now: datetime) -> Customer | None:
    query = select(Customer).join(LoginSession, LoginSession.customer_id == Customer.id)
    return session.scalar(query.where(LoginSession.token_sha256 == token_sha256, LoginSession.expires_at > now))


def end_session(session: Session, token_sha256: str) -> None:
    session.execute(delete(LoginSession).where(LoginSession.token_sha256 == token_sha256))


def end_expired_sessions(session: Session, customer_id: int, now: datetime) -> None:
    session.execute(delete(LoginSession).where(LoginSession.customer_id == customer_id, LoginSession.expires_at <= now))


def signing_key(session: Session) -> str | None:
    return session.scalar(select(SigningKey.private_pem))


def keep_signing_key(session: Session, private_pem: str, now: datetime) -> None:
    """Store it, unless another process was first."""
    first = insert_or(session, SigningKey).values(id=1, private_pem=private_pem, created_at=now)
    session.execute(first.on_conflict_do_nothing())
