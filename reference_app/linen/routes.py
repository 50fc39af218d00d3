"""Linen of an owner's gîtes (B-87)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter
from msgspec import Meta

from reference_app.identity.admission import only
from reference_app.linen.queries import Linen, delete_linen, list_linen, put_linen
from reference_app.problems import FieldError, invalid, not_found
from reference_app.session import Session

Article = Annotated[str, PathParameter(min_length=1, max_length=60)]
Pieces = Annotated[int, Meta(ge=0, le=100_000)]


class Stock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces of an article, and how many of them are clean."""

    total: Pieces
    propres: Pieces


class LinenController(Controller):
    """Linen of the signed-in owner's gîtes."""

    path = "/api/linen"
    tags = ("linen",)
    opt = only("owner")

    @get("/", summary="Linen in stock")
    async def list(
        self,
        session: NamedDependency[Session],
        gite_id: FromQuery[UUID | None] = None,
    ) -> list[Linen]:
        """By gîte and article; of one gîte, if it is named."""
        return await list_linen(session, gite_id)

    @put(
        "/{gite_id:uuid}/{article:str}",
        summary="Set the stock of an article",
        responses={HTTPStatus.CREATED: ResponseSpec(Linen, generate_examples=False)},
    )
    async def put(
        self,
        gite_id: FromPath[UUID],
        article: Article,
        data: JSONBody[Stock],
        session: NamedDependency[Session],
    ) -> Response[Linen]:
        """201 when the gîte did not have the article; 404 for a gîte of somebody else."""
        if data.propres > data.total:
            raise invalid(FieldError("propres", "must not be more than total"))
        done = await put_linen(session, gite_id, article, total=data.total, propres=data.propres)
        if done is None:
            raise not_found("gîte")
        return Response(
            done.linen, status_code=HTTPStatus.CREATED if done.is_new else HTTPStatus.OK
        )

    @delete("/{gite_id:uuid}/{article:str}", summary="Remove an article")
    async def remove(
        self,
        gite_id: FromPath[UUID],
        article: Article,
        session: NamedDependency[Session],
    ) -> None:
        """From the stock of this gîte."""
        if await delete_linen(session, gite_id, article) is None:
            raise not_found("article")
