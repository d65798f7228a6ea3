"""The customers' use cases: accounts, sessions and tokens."""

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import ClassVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.exc import IntegrityError

from shop.kernel.caller import CUSTOMER, Caller
from shop.kernel.errors import Duplicate, SignInRequired, WrongCredentials
from shop.kernel.outbox import Event, publish
from shop.kernel.settings import Settings
from shop.kernel.unit_of_work import Transactions
from shop.modules.customers import repository
from shop.modules.customers.models import Customer, LoginSession
from shop.modules.customers.schemas import Credentials, Jwk, JwkSet, Registration, TokenAnswer
from shop.modules.customers.tokens import TokenSigner, new_private_key


@dataclass(frozen=True, slots=True)
class CustomerRegistered(Event):
    topic: ClassVar[str] = "customer.registered"
    customer_id: int
    name: str

    @property
    def aggregate(self) -> str:
        return f"customer-{self.customer_id}"


class Customers:
    """Who is who. Passwords are hashed outside of transactions: it is slow on purpose, and a write lock is dear."""

    def __init__(self, transactions: Transactions, settings: Settings) -> None:
        self._transactions = transactions
        self._settings = settings
        hasher = Argon2Hasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
        )
        self._passwords = PasswordHash((hasher,))

    @cached_property
    def _nobodys_hash(self) -> str:
        """Verified when the account is unknown, so that the answer takes as long as for a known one.

        It is nobody's: random bytes in the form of a hash, which no password gives.
        """
        settings = self._settings
        cost = f"m={settings.argon2_memory_kib},t={settings.argon2_time_cost},p={settings.argon2_parallelism}"
        salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
        return f"$argon2id$v=19${cost}${salt}${digest}"

    @cached_property
    def _signer(self) -> TokenSigner:
        settings = self._settings
        private_pem = settings.signing_key.get_secret_value() if settings.signing_key else self._shared_key()
        return TokenSigner(
            private_pem, issuer=settings.issuer, audience=settings.audience, seconds=settings.token_seconds
        )

    def _shared_key(self) -> str:
        with self._transactions.reading() as work:
            kept = repository.signing_key(work.session)
        if kept is not None:
            return kept
        with self._transactions.writing() as work:
            repository.keep_signing_key(work.session, new_private_key(), work.now)
            kept = repository.signing_key(work.session)
        if kept is None:
            message = "The signing key has vanished from the database."
            raise RuntimeError(message)
        return kept

    def prepare(self) -> None:
        """Make the signing key, where there is none yet."""
        _ = self._signer

    def register(self, registration: Registration, role: str = CUSTOMER) -> Customer:
        password_hash = self._passwords.hash(registration.password)
        taken = Duplicate("An account with this email already exists.")
        with self._transactions.writing() as work:
            if repository.customer_by_email(work.session, registration.email) is not None:
                raise taken
            customer = Customer(
                email=registration.email,
                name=registration.name,
                password_hash=password_hash,
                role=role,
                created_at=work.now,
            )
            work.session.add(customer)
            try:
                work.session.flush()
            except IntegrityError as error:
                raise taken from error
            publish(work, CustomerRegistered(customer.id, customer.name))
            return customer

    def _authenticate(self, credentials: Credentials) -> Customer:
        with self._transactions.reading() as work:
            customer = repository.customer_by_email(work.session, credentials.email)
        known_hash = customer.password_hash if customer is not None else self._nobodys_hash
        if not self._passwords.verify(credentials.password, known_hash) or customer is None:
            raise WrongCredentials
        return customer

    def log_in(self, credentials: Credentials) -> tuple[Customer, str]:
        """The customer, and the token that the session cookie carries."""
        customer = self._authenticate(credentials)
        token = secrets.token_urlsafe(32)
        with self._transactions.writing() as work:
            repository.end_expired_sessions(work.session, customer.id, work.now)
            work.session.add(
                LoginSession(
                    token_sha256=_digest(token),
                    customer_id=customer.id,
                    expires_at=work.now + timedelta(seconds=self._settings.session_seconds),
                    created_at=work.now,
                )
            )
        return customer, token

    def log_out(self, session_token: str) -> None:
        with self._transactions.writing() as work:
            repository.end_session(work.session, _digest(session_token))

    def issue_token(self, credentials: Credentials) -> TokenAnswer:
        customer = self._authenticate(credentials)
        token = self._signer.sign(customer.id, customer.roles, self._transactions.clock())
        return TokenAnswer(access_token=token, expires_in=self._signer.seconds)

    def get(self, customer_id: int) -> Customer:
        with self._transactions.reading() as work:
            customer = repository.customer(work.session, customer_id)
        if customer is None:  # a token outlives its account
            raise SignInRequired
        return customer

    def caller_of_token(self, token: str) -> Caller:
        """Raises InvalidToken."""
        return self._signer.verify(token, self._transactions.clock())

    def caller_of_session(self, session_token: str) -> Caller | None:
        """None when the session is unknown or over."""
        with self._transactions.reading() as work:
            customer = repository.customer_of_session(work.session, _digest(session_token), work.now)
        return None if customer is None else Caller(customer.id, frozenset(customer.roles))

    def key_set(self) -> JwkSet:
        public = self._signer.public_key
        return JwkSet(keys=[Jwk(x=public.x, kid=public.kid)])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
