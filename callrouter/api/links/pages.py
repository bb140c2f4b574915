"""The addresses behind a link: `/m/TOKEN`, and what its buttons lead to.

No cookie is set: whoever posts here has the token, which no other page knows. Guesses at it are not counted: 256 bits
are not guessed (`store.dispatch.links`). Of what is confidential nothing is shown or done before a PIN or a code was
given; the page that is shown then holds a proof of it, for half an hour, and each of its buttons gives that.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from callrouter.api.auth import Gate, Visitor
from callrouter.api.links import rendering
from callrouter.api.links.opening import Opening, digits_of, fields_of, opening_of
from callrouter.api.links.rendering import Lock, Shown
from callrouter.api.links.words import Words, words_for, written
from callrouter.api.messages.desk import LivePlans
from callrouter.api.sound import Sound
from callrouter.core.plan import Plan
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.permissions import By, Permission, Principal, Scope, ScopeKind
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.sound_file import MEDIA_TYPE
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import BY_LINK, OF_CONTACTS, acknowledge
from callrouter.store.dispatch.links import Link, find_link, note_viewed
from callrouter.store.dispatch.opening import Asked, Refused, ask_code, is_believed, try_open
from callrouter.store.messages import StoredMessage, find_message
from callrouter.store.tables import AuditOutcome
from callrouter.store.taken.composing import labelled

log = structlog.get_logger(__name__)

_away = Outage(log, "messages cannot be shown by their links", "", level="warning", remind_seconds=60.0)
"""Of this process."""
_TOKEN: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "What stands in the link that somebody was sent",
    "schema": {"type": "string"},
}
_HTML: Final = {"text/html": {"schema": {"type": "string"}}}


class _Page(APIRoute):
    """A route all of whose answers are pages for people; no log holds its address, which is a secret."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, and what it raises as a page."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            words = words_for(accepted=request.headers.getlist("accept-language"))
            try:
                return await handle(request)
            except StoreError as error:
                _away.failed(str(error))
                return rendering.away(words)
            except Exception as error:
                return _our_fault(error, words)

        return answered


def _our_fault(error: Exception, words: Words) -> Response:
    """In the log with the line that raised it; a traceback, with the values of its frames, would hold the link."""
    frames = traceback.extract_tb(error.__traceback__)
    raised_at = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    log.error("a message cannot be shown by its link", error=repr(error), raised_at=raised_at)
    return rendering.failed(words)


class _Reader:
    """Whoever has a link, and what it leads to."""

    def __init__(self, request: Request, link: Link, plan: Plan | None, visitor: Visitor) -> None:
        self.link = link
        self.visitor = visitor
        self._plan = plan
        self.reach = reach = None if plan is None else plan.people.get(link.contact)
        self.words = words_for(
            own=reach.language if reach else "",
            accepted=request.headers.getlist("accept-language"),
            clients=plan.language if plan else "",
        )

    def shown(self, message: StoredMessage, link: Link, *, has_sound: bool) -> Shown:
        """What the page has of a message. `link` is as it stands now."""
        fields = tuple((label, value) for _, label, value in labelled(message))
        said = {value for _, value in fields}
        return Shown(
            client=self._plan.name if self._plan else message.client,
            urgent=message.urgent,
            taken=self._written(message.taken_at),
            caller_name="" if message.caller_name in said else message.caller_name,
            caller_number="" if message.caller_number in said else message.caller_number or "",
            fields=fields,
            text="" if message.form else message.text,
            has_sound=has_sound,
            was_spoken=message.recording is not None,
            transcript=message.transcript,
            transcript_by=message.transcript_by,
            acknowledged=self._acknowledged(link),
        )

    def _acknowledged(self, link: Link) -> str:
        if link.acknowledged_by is None or link.acknowledged_at is None:
            return ""
        at = self._written(link.acknowledged_at)
        by_contact = link.acknowledged_how in OF_CONTACTS
        if by_contact and link.acknowledged_by == link.contact:
            return self.words.yours.format(at=at)
        titles = self._plan.contacts if self._plan else {}
        who = titles.get(link.acknowledged_by, link.acknowledged_by) if by_contact else self.words.us
        return self.words.taken_on.format(who=who, at=at)

    def _written(self, at: datetime) -> str:
        zone = ZoneInfo(self._plan.timezone) if self._plan else ZoneInfo("UTC")
        return written(self.words, at.astimezone(zone))


def router(
    database: Database,
    plans: LivePlans,
    recordings: Recordings,
    gate: Gate,
    now: Callable[[], datetime],
    secrets: Mapping[str, str],
) -> APIRouter:
    """The routes. `now` is the clock calls are stamped by; `plans` know how clients and their people are called;
    `secrets` are those that documents name, of which PINs are some."""
    routes = APIRouter(tags=["links"], route_class=_Page, default_response_class=HTMLResponse)
    desk = _Desk(database, plans, recordings, gate, now, secrets)

    @routes.get("/m/{token}", **_answers())
    async def cover(request: Request) -> Response:
        """That there is a message. It shows nothing of it and changes nothing, however often it is asked for: scanners
        of mail follow links."""
        return await desk.cover(request)

    @routes.head("/m/{token}", **_answers())
    async def cover_head(request: Request) -> Response:
        """The same without its content."""
        return await desk.cover(request)

    @routes.post("/m/{token}/code", **_answers(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS))
    async def code(request: Request) -> Response:
        """Send whoever the link was sent to a code, by another way. 409 where none is asked for."""
        return await desk.code(request)

    @routes.post("/m/{token}/show", **_answers(HTTPStatus.FORBIDDEN))
    async def show(request: Request) -> Response:
        """The message; whoever it was sent to has viewed it from now on. Of a confidential one, with the form's
        `given`, a PIN or a code; 403 where it is wrong, and 410 after too many."""
        return await desk.show(request)

    @routes.post("/m/{token}/acknowledge", **_answers(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT))
    async def take_on(request: Request) -> Response:
        """Whoever it was sent to takes the message on: nobody else is told of it. 409 before it was viewed."""
        return await desk.take_on(request)

    sound = {"description": "The sound", "content": {MEDIA_TYPE: {}}}
    part = {"description": "A part of it, as `Range` asks", "content": {MEDIA_TYPE: {}}}

    @routes.get("/m/{token}/recording", **_answers(**{"200": sound, "206": part}))
    async def recording(request: Request) -> Response:
        """The message's sound, once it was viewed; each listening is in the audit trail. 404 where there is none."""
        return await desk.recording(request)

    return routes


class _Desk:
    """What the pages do."""

    def __init__(
        self,
        database: Database,
        plans: LivePlans,
        recordings: Recordings,
        gate: Gate,
        now: Callable[[], datetime],
        secrets: Mapping[str, str],
    ) -> None:
        self._database = database
        self._plans = plans
        self._recordings = recordings
        self._gate = gate
        self._now = now
        self._secrets = secrets

    async def cover(self, request: Request) -> Response:
        reader = await self._reader(request)
        if isinstance(reader, Response):
            return reader
        folder = f"{request.path_params['token']}/"
        if not reader.link.confidential:
            return rendering.cover(reader.words, folder)
        return _asked(reader, self._opening(reader), folder=folder)

    async def code(self, request: Request) -> Response:
        reader = await self._reader(request)
        if isinstance(reader, Response):
            return reader
        opening = self._opening(reader)
        if not reader.link.confidential:
            return rendering.cover(reader.words, "", status=HTTPStatus.CONFLICT)
        if opening.means is None:
            return _asked(reader, opening, status=HTTPStatus.CONFLICT)
        words = reader.words
        asked = await ask_code(self._database, reader.link, opening.means, opening.address, self._now())
        match asked:
            case Asked.QUEUED:
                return _asked(reader, opening, words.code_sent.format(means=opening.comes(words), end=opening.end))
            case Asked.TOO_MANY:
                status = HTTPStatus.TOO_MANY_REQUESTS
                return _asked(reader, opening, words.too_many_codes, status=status, is_wrong=True)
            case Asked.CLOSED:
                return rendering.closed(words)

    async def show(self, request: Request) -> Response:
        reader = await self._reader(request)
        if isinstance(reader, Response):
            return reader
        proof = await self._proof(request, reader) if reader.link.confidential else ""
        if isinstance(proof, Response):
            return proof
        await note_viewed(self._database, reader.link, self._now())
        return await self._message(request, reader, proof)

    def _opening(self, reader: _Reader) -> Opening:
        return opening_of(reader.link, reader.reach, self._secrets)

    async def _proof(self, request: Request, reader: _Reader) -> str | Response:
        """That the right PIN or code was given, now or lately; or the page that asks for it."""
        given = await fields_of(request)
        proof = given.get("proof", "")
        if is_believed(reader.link, proof, self._now()):
            return proof
        opening, words = self._opening(reader), reader.words
        digits = digits_of(given.get("given", ""))
        if not opening.is_possible or not digits:
            return _asked(reader, opening, words.once_more, status=HTTPStatus.FORBIDDEN, is_wrong=True)
        tried = await try_open(self._database, reader.link, digits, self._now(), pin=opening.pin)
        match tried.refused:
            case None:
                return tried.token
            case Refused.CLOSED:
                return rendering.closed(words)
            case Refused.NO_CODE:
                return _asked(reader, opening, words.no_code, status=HTTPStatus.FORBIDDEN, is_wrong=True)
            case Refused.WRONG:
                said = words.wrong.format(left=tried.left)
                return _asked(reader, opening, said, status=HTTPStatus.FORBIDDEN, is_wrong=True)

    async def take_on(self, request: Request) -> Response:
        reader = await self._reader(request)
        if isinstance(reader, Response):
            return reader
        link = reader.link
        proof = ""
        if link.confidential:
            proof = (await fields_of(request)).get("proof", "")
            if not is_believed(link, proof, self._now()):
                said = reader.words.once_more
                opening = self._opening(reader)
                return _asked(reader, opening, said, status=HTTPStatus.FORBIDDEN, is_wrong=True)
        if not link.viewed:  # nobody takes on what they have not seen
            return rendering.cover(reader.words, "", status=HTTPStatus.CONFLICT)
        taken_on = await acknowledge(
            self._database,
            link.message_id,
            by=link.contact,
            how=BY_LINK,
            at=self._now(),
            delivery_id=link.delivery_id,
        )
        if taken_on:
            reader.visitor.note(
                Permission.MESSAGE_ACKNOWLEDGE, AuditOutcome.DONE, object_=link.message_id, client=link.client
            )
        return await self._message(request, reader, proof)

    async def recording(self, request: Request) -> Response:
        reader = await self._reader(request)
        if isinstance(reader, Response):
            return reader
        link, proof = reader.link, request.query_params.get("proof", "")
        if link.confidential and not is_believed(link, proof, self._now()):
            return rendering.silent(reader.words)
        kept = await find_message(self._database, reader.link.message_id)
        name = kept[0].recording if kept and reader.link.viewed else None
        found = await self._recordings.find(name) if name else None
        by = By(principal=reader.visitor.principal.name, address=reader.visitor.address)
        path = await self._recordings.open(found, by) if found else None
        if path is None:
            return rendering.silent(reader.words)
        return Sound(path, media_type=MEDIA_TYPE, headers=rendering.PRIVATE)

    async def _message(self, request: Request, reader: _Reader, proof: str) -> Response:
        """The page of a message, as it stands now."""
        kept = await find_message(self._database, reader.link.message_id)
        link = await find_link(self._database, request.path_params["token"])
        if kept is None or link is None:  # deleted meanwhile
            return rendering.unknown(reader.words)
        message = kept[0]
        found = await self._recordings.find(message.recording) if message.recording else None
        has_sound = found is not None and found.deleted_at is None and found.objected_at is None
        return rendering.message(reader.words, reader.shown(message, link, has_sound=has_sound), proof)

    async def _reader(self, request: Request) -> _Reader | Response:
        """Whose link it is; a page where it leads nowhere, or not any more."""
        words = words_for(accepted=request.headers.getlist("accept-language"))
        link = await find_link(self._database, request.path_params["token"])
        if link is None:
            return rendering.unknown(words)
        if link.expires_at <= self._now():
            return rendering.ended(words)
        if link.closed:
            return rendering.closed(words)
        try:
            plan = await self._plans.live(link.client)
        except StoreError:
            if link.confidential:  # it says by what it is opened
                raise
            plan = None  # it says how people are called, and no more
        scope = Scope(ScopeKind.CLIENTS, frozenset({link.client}))
        principal = Principal(name=f"contact:{link.contact}", permissions=frozenset(), scope=scope)
        return _Reader(request, link, plan, self._gate.known_otherwise(principal, request))


def _asked(
    reader: _Reader,
    opening: Opening,
    said: str = "",
    *,
    folder: str = "",
    status: HTTPStatus = HTTPStatus.OK,
    is_wrong: bool = False,
) -> Response:
    """The page that asks for a PIN or a code."""
    if not opening.is_possible:
        return rendering.no_way(reader.words)
    means = "" if opening.pin else opening.comes(reader.words)
    lock = Lock(by_pin=bool(opening.pin), means=means, said=said, is_wrong=is_wrong)
    return rendering.locked(reader.words, folder, lock, status=status)


def _answers(*statuses: HTTPStatus, **others: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a route: what may come of it."""
    always = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.SERVICE_UNAVAILABLE)
    pages = {int(one): {"description": one.phrase, "content": _HTML} for one in (*always, *statuses)}
    return {
        "responses": {**pages, **{int(status): said for status, said in others.items()}},
        "openapi_extra": {"parameters": [_TOKEN]},
    }
