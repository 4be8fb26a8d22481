"""Budgets: make, show, delete; and the step that compares cost with them."""

from __future__ import annotations

from chalicelib.domain.cost.budget import Budget, BudgetSpec, judged, seen
from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.notification.facts import FINE
from chalicelib.ports.items import ABSENT, Write
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context
from chalicelib.services.cost.cost import Costs
from chalicelib.services.cost.price_books import PriceBooks
from chalicelib.services.notifications.notifications import Notifications

MOST_BUDGETS = 100
"""For a tenant: each is computed every minute."""


class Budgets:
    """What was told last is a fact of its own: a budget's own record may be written again at any time."""

    def __init__(self, context: Context, books: PriceBooks, costs: Costs, notifications: Notifications) -> None:
        self._context, self._records = context, context.records
        self._books, self._costs, self._notifications = books, costs, notifications

    def create(self, tenant: str, spec: BudgetSpec, actor: str) -> Budget:
        """A new budget. Raises Conflict (name taken), InvalidInput (no such book or deployment, too many)."""
        if self._records.budgets.find(tenant, spec.name):
            fix = f"choose another name, or: phoenix budget delete {spec.name}"
            rule = f"a budget named {spec.name!r} exists"
            raise Conflict(rule, problems=(Problem("/name", rule, fix),), hint=fix)
        self._books.usable(tenant, spec.price_book, "/priceBook")
        if spec.deployment and self._records.deployments.find(tenant, spec.deployment) is None:
            rule, fix = f"no deployment named {spec.deployment!r}", "see: phoenix pipeline list-deployments"
            raise InvalidInput(rule, problems=(Problem("/deployment", rule, fix),), hint=fix)
        if sum(1 for _ in self._records.budgets.all(tenant)) >= MOST_BUDGETS:
            raise InvalidInput(f"there are {MOST_BUDGETS} budgets already", hint="delete one that is not needed")
        now = self._context.clock.now()
        made = Budget(spec=spec, created_at=now, created_by=actor)
        self._audited(tenant, made, ABSENT, actor, "create")
        return made

    def get(self, tenant: str, name: str) -> Budget:
        """Raises NotFound."""
        return self._records.budgets.get(tenant, name).value

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Budget], str | None]:
        """Budgets in order of name."""
        found, after = self._records.budgets.page(tenant, limit, cursor)
        return [stored.value for stored in found], after

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """Forget a budget and what was told of it. Raises NotFound."""
        stored = self._records.budgets.get(tenant, name)
        now = self._context.clock.now()
        writes: list[Write] = [
            self._records.budgets.removal(tenant, name, stored.version),
            self._records.facts.removal(tenant, f"budget:{name}"),
            self._records.audit.entry(tenant, f"budget:{name}", at=now, actor=actor, action="delete"),
        ]
        self._records.store.transact(writes, token=f"budget-{self._context.entropy.uid()}")

    def step(self, tenant: str, name: str) -> None:
        """Look at cost, if it is time, and tell what changed. A lost race is no error: another looked."""
        stored = self._records.budgets.find(tenant, name)
        now = self._context.clock.now()
        if stored is None or now - (stored.value.evaluated_at or 0.0) < stored.value.spec.every_s:
            return
        fact = self._records.facts.find(tenant, f"budget:{name}")
        level = fact.value.level if fact else FINE
        try:
            report = self._costs.report(tenant, stored.value.spec.question())
        except (InvalidInput, NotFound) as error:
            found = stored.value.model_copy(
                update={"per_month": None, "reason": error.detail, "evaluated_at": now, "level": level}
            )
        else:
            found = judged(stored.value, level, report, now)
            if found.level != level:
                self._notifications.settle(tenant, f"budget:{name}", lambda: seen(found))
        self._keep(tenant, Stored(found, stored.version))

    def _keep(self, tenant: str, stored: Stored[Budget]) -> None:
        try:
            self._records.budgets.save(tenant, stored.value, stored.version)
        except Conflict:
            return  # deleted, or another looked

    def _audited(self, tenant: str, budget: Budget, version: int, actor: str, action: str) -> None:
        detail = budget.spec.model_dump(mode="json", by_alias=True)
        entry = self._records.audit.entry(
            tenant,
            f"budget:{budget.spec.name}",
            at=self._context.clock.now(),
            actor=actor,
            action=action,
            detail=detail,
        )
        write = self._records.budgets.write(tenant, budget, version)
        self._records.store.transact([write, entry], token=f"budget-{self._context.entropy.uid()}")
