"""The shop put together: one object that a face asks for use cases. Framework-independent."""

from dataclasses import dataclass

from shop.kernel.clock import Clock, system_clock
from shop.kernel.database import Database
from shop.kernel.outbox import Consumer, OutboxMessage, dispatch
from shop.kernel.settings import Settings
from shop.kernel.unit_of_work import Transactions
from shop.modules.catalog.public import Catalog
from shop.modules.customers.public import Customers
from shop.modules.inventory.public import Inventory
from shop.modules.notifications.public import Notifications
from shop.modules.orders.public import Orders
from shop.modules.payments.public import CardProvider, Payments, ReportedProvider, SandboxProvider
from strangler_kit.recording import Outbox, Recorder


@dataclass(frozen=True, slots=True)
class Shop:
    """The modules, wired. Lives as long as its process."""

    settings: Settings
    transactions: Transactions
    consumers: tuple[Consumer, ...]
    catalog: Catalog
    inventory: Inventory
    customers: Customers
    orders: Orders
    payments: Payments
    notifications: Notifications

    @property
    def database(self) -> Database:
        return self.transactions.database

    def deliver_events(self) -> int:
        """Deliver what waits in the outbox; returns how many messages."""
        return dispatch(self.transactions, self.consumers)


def build(settings: Settings | None = None, clock: Clock = system_clock, provider: CardProvider | None = None) -> Shop:
    """Wire the modules. Opens no connection yet, so it is right before and after a fork."""
    settings = settings or Settings()
    database = Database(settings.database_url, pool_size=settings.pool_size)
    if settings.shadow_key is not None:
        Recorder(database.engine, outbox=Outbox(OutboxMessage.__tablename__))
    transactions = Transactions(database, clock)
    catalog, inventory = Catalog(transactions), Inventory(transactions)
    payments = Payments(transactions, ReportedProvider(provider or SandboxProvider()))
    notifications = Notifications(transactions)
    shop = Shop(
        settings=settings,
        transactions=transactions,
        consumers=(notifications.consumer,),
        catalog=catalog,
        inventory=inventory,
        customers=Customers(transactions, settings),
        orders=Orders(transactions, catalog=catalog, inventory=inventory, payments=payments),
        payments=payments,
        notifications=notifications,
    )
    transactions.after_publishing = shop.deliver_events
    return shop
