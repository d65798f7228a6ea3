"""One change, all of it or nothing: the store's transaction and the snapshot on disk. Blocking."""

from collections.abc import Callable

from strangler.config.loaded import Loaded, Topology
from strangler.control.adoption import describe, plan_adoption
from strangler.control.flips import FlipPlan, FlipRequest, plan_flip
from strangler.control.last_good import LastGood
from strangler.control.publisher import build_snapshot
from strangler.control.store import Change, ChangeKind, Store, StoredFlag, StoreUnavailable, Writing
from strangler.model.snapshot import Snapshot

Decide = Callable[[Writing], Snapshot | None]
"""Writes to the store and returns the snapshot that follows; None if nothing is to change."""


class Committer:
    """Writes changes; its callers see to it that there is one at a time."""

    def __init__(self, store: Store, last_good: LastGood) -> None:
        self._store = store
        self._last_good = last_good

    def adopt(self, loaded: Loaded, author: str, reason: str) -> Snapshot:
        """Make the configuration's topology the current one; a new revision if anything differs from before.

        Raises ``ConfigError`` if the stored flags do not allow it, ``StoreUnavailable``.
        """
        topology = loaded.topology
        published = self._last_good.read()

        def decide(writing: Writing) -> Snapshot:
            if writing.topology != topology.fingerprint:
                adoption = plan_adoption(loaded, writing.flags(), writing.topology, author, reason)
                writing.put(adoption.flags)
                writing.adopt(topology.fingerprint)
                writing.bump(published.revision if published else 0)
                writing.record(adoption.changes)
            snapshot = build_snapshot(writing.revision, topology, writing.present_flags())
            if published is None or published == snapshot or published.revision < snapshot.revision:
                return snapshot
            # The store was replaced by an older one, or belongs to another folder: workers must not take two
            # different snapshots for the same.
            revision = writing.bump(published.revision)
            what = f"{reason}: the store differs from snapshot {published.revision}, the last that was published"
            writing.record([Change(ChangeKind.CONFIG, author, what)])
            return build_snapshot(revision, topology, writing.present_flags())

        snapshot = self._commit(decide)
        assert snapshot is not None
        return snapshot

    def flip(
        self, request: FlipRequest, topology: Topology, killed: frozenset[str]
    ) -> tuple[FlipPlan, Snapshot | None]:
        """Plan and write a flip; without a snapshot if all routes were already there. Raises as ``plan_flip`` does."""
        plan: FlipPlan

        def decide(writing: Writing) -> Snapshot | None:
            nonlocal plan
            flags = writing.present_flags()
            plan = plan_flip(request, topology, flags, killed)
            if not plan.changes:
                return None
            revision = writing.bump()
            after = {change.route: change.after for change in plan.changes}
            writing.put(StoredFlag(flag, present=True) for flag in after.values())
            writing.record(
                Change(
                    ChangeKind.FLIP,
                    request.author,
                    request.reason,
                    change.route,
                    describe(change.before),
                    describe(change.after),
                )
                for change in plan.changes
            )
            return build_snapshot(revision, topology, flags | after)

        snapshot = self._commit(decide)
        return plan, snapshot

    def _commit(self, decide: Decide) -> Snapshot | None:
        """The order matters: on disk, then committed, then in place. Before the commit any failure undoes all."""
        try:
            with self._store.writing() as writing:
                snapshot = decide(writing)
                if snapshot is not None:
                    self._prepare(snapshot)
        except BaseException:
            self._last_good.discard()
            raise
        if snapshot is not None:
            self._last_good.promote()
        return snapshot

    def _prepare(self, snapshot: Snapshot) -> None:
        try:
            self._last_good.prepare(snapshot)
        except OSError as error:
            raise StoreUnavailable(f"{self._last_good.path} cannot be written: {error.strerror}") from error
