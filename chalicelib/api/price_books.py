"""Price books over HTTP: list, show, make, delete."""

from __future__ import annotations

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.cost.stored import OwnPriceBook
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.services.services import Services


class PriceBookView(Model):
    """A price book. own: made by a user of this tenant."""

    book: PriceBook
    own: bool
    public: bool
    """Whether it has any price."""
    headline: str
    """Its main price, in short."""
    created_at: float | None
    created_by: str


def _view(found: OwnPriceBook) -> PriceBookView:
    return PriceBookView(
        book=found.book,
        own=found.own,
        public=found.book.public,
        headline=found.book.headline(),
        created_at=found.created_at,
        created_by=found.created_by,
    )


def routes(services: Services) -> tuple[Route, ...]:
    books = services.price_books

    def listing(request: Request) -> PageOf[PriceBookView]:
        found, cursor = books.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[PriceBookView](items=[_view(one) for one in found], next_cursor=cursor)

    def create(request: Request) -> PriceBookView:
        return _view(books.create(request.principal.tenant, request.body, request.principal.subject))

    def show(request: Request) -> PriceBookView:
        return _view(books.get(request.principal.tenant, request.params["book"]))

    def delete(request: Request) -> None:
        books.delete(request.principal.tenant, request.params["book"], request.principal.subject)

    path = "/api/v1/price-books"
    one = path + "/{book}"
    return (
        Route("GET", path, Role.VIEWER, listing, "List price books", response=PageOf[PriceBookView], query=PageQuery),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            create,
            "Make a price book",
            request=PriceBook,
            response=PriceBookView,
            status=201,
            errors=(Conflict,),
        ),
        Route("GET", one, Role.VIEWER, show, "Show a price book", response=PriceBookView, errors=(NotFound,)),
        Route("DELETE", one, Role.OPERATOR, delete, "Delete a price book", status=204, errors=(NotFound, Conflict)),
    )
