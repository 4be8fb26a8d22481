"""Price books: those that come with Phoenix and a tenant's own. A book never changes: delete it and make another."""

from __future__ import annotations

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.cost.series import unpriceable
from chalicelib.domain.cost.stored import OwnPriceBook
from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.pricebooks import PRICE_BOOKS
from chalicelib.ports.items import ABSENT
from chalicelib.services.context import Context


class PriceBooks:
    """Names of Phoenix's own books are taken."""

    def __init__(self, context: Context) -> None:
        self._context, self._records = context, context.records

    def get(self, tenant: str, name: str) -> OwnPriceBook:
        """A book by name; one of Phoenix's own has nobody who made it. Raises NotFound naming those that exist."""
        if name in PRICE_BOOKS:
            return OwnPriceBook(book=PRICE_BOOKS[name])
        found = self._records.price_books.find(tenant, name)
        if found is None:
            own = [stored.value.book.name for stored in self._records.price_books.all(tenant)]
            known = ", ".join(sorted([*PRICE_BOOKS, *own])[:50])
            raise NotFound(f"there is no price book {name!r}", hint=f"one of: {known}")
        return found.value

    def usable(self, tenant: str, name: str, pointer: str) -> PriceBook:
        """A book that a request names at `pointer`. Raises InvalidInput when there is none, or it has no prices."""
        try:
            book = self.get(tenant, name).book
        except NotFound as error:
            problem = Problem(pointer, f"unknown price book {name!r}", error.hint)
            raise InvalidInput(error.detail, problems=(problem,), hint=error.hint) from error
        if not book.public:
            fix = "make a price book from your contract: phoenix price-book create"
            rule = f"the prices of {book.title} are not public"
            raise InvalidInput(rule, problems=(Problem(pointer, rule, fix),), hint=fix)
        return book

    def for_experiment(self, tenant: str, name: str) -> PriceBook:
        """The book of an experiment, which counts series and no bytes. Raises InvalidInput at /spec/priceBook."""
        book = self.usable(tenant, name, "/spec/priceBook")
        if reason := unpriceable(book):
            fix = "choose a book that charges for series or data points; phoenix cost --experiment prices by others too"
            raise InvalidInput(reason, problems=(Problem("/spec/priceBook", reason, fix),), hint=fix)
        return book

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[OwnPriceBook], str | None]:
        """Phoenix's own books first, then the tenant's, in order of name."""
        found, after = self._records.price_books.page(tenant, limit, cursor)
        first = [] if cursor else [OwnPriceBook(book=PRICE_BOOKS[name]) for name in sorted(PRICE_BOOKS)]
        return [*first, *(stored.value for stored in found)], after

    def create(self, tenant: str, book: PriceBook, actor: str) -> OwnPriceBook:
        """A book of the tenant's own. Raises Conflict for a name that exists, InvalidInput for one without prices."""
        if not book.charges:
            fix = "give at least one charge: a meter and its price"
            raise InvalidInput("/charges: empty", problems=(Problem("/charges", "empty", fix),), hint=fix)
        if book.name in PRICE_BOOKS or self._records.price_books.find(tenant, book.name):
            fix = f"choose another name, or delete it first: phoenix price-book delete {book.name}"
            rule = f"a price book named {book.name!r} exists"
            raise Conflict(rule, problems=(Problem("/name", rule, fix),), hint=fix)
        now = self._context.clock.now()
        made = OwnPriceBook(book=book, created_at=now, created_by=actor)
        entry = self._records.audit.entry(
            tenant,
            f"price-book:{book.name}",
            at=now,
            actor=actor,
            action="create",
            detail=book.model_dump(mode="json", by_alias=True),
        )
        write = self._records.price_books.write(tenant, made, ABSENT)
        self._records.store.transact([write, entry], token=f"price-book-{self._context.entropy.uid()}")
        return made

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """Forget a book of the tenant's own; what was computed with it keeps its copy. Raises NotFound, Conflict."""
        if name in PRICE_BOOKS:
            raise Conflict(f"price book {name!r} comes with Phoenix and cannot be deleted")
        found = self._records.price_books.get(tenant, name)
        users = [one.value.spec.name for one in self._records.budgets.all(tenant) if one.value.spec.price_book == name]
        if users:
            raise Conflict(f"price book {name!r} is used by budget {', '.join(users[:10])}", hint="delete that first")
        now = self._context.clock.now()
        entry = self._records.audit.entry(tenant, f"price-book:{name}", at=now, actor=actor, action="delete")
        removal = self._records.price_books.removal(tenant, name, found.version)
        self._records.store.transact([removal, entry], token=f"price-book-{self._context.entropy.uid()}")
