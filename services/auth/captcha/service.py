"""Makes captchas and takes their answers, each picture once."""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_secret
from services.auth.captcha.domain import (
    LONGEST,
    CaptchaAnswer,
    answer_hash,
    is_wanted,
    new_answer,
)
from services.auth.captcha.repository import CaptchaRepository
from services.auth.domain import DelayKeys, token_hash
from services.auth.errors import CaptchaRequired, CaptchaWrong, TooManyCaptchas
from services.auth.models import Captcha
from services.auth.repository import DelayRepository, SessionRepository
from services.auth.settings import AuthSettings

if TYPE_CHECKING:
    from captcha.image import ImageCaptcha

WAITING_PER_ADDRESS = 100
PURGE_AT_ONCE = 1000
PURGE_WITH_EACH = 50


@dataclass(frozen=True)
class Picture:
    """A captcha for whoever asked: its key, the picture as PNG, and its life in seconds."""

    key: str
    png: bytes
    seconds: int


class Captchas:
    """Use cases around captchas. The answer exists on the picture and as a hash, nowhere else."""

    def __init__(self, db: Database, *, settings: AuthSettings) -> None:
        self._db = db
        self._settings = settings
        # Drawing takes milliseconds of a processor; one thread is all that it may take.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="captcha")
        self._artist: ImageCaptcha | None = None

    async def new(self, *, address: str) -> Picture:
        """A new picture for an address; TooManyCaptchas while a hundred wait for an answer."""
        key, answer = new_secret(), new_answer()
        await self._store(key, answer, address)
        png = await asyncio.get_running_loop().run_in_executor(self._pool, self._draw, answer)
        return Picture(key, png, self._settings.captcha_seconds)

    def _draw(self, answer: str) -> bytes:
        if self._artist is None:  # few platforms ever draw one: none pays for it in memory before
            self._artist = import_module("captcha.image").ImageCaptcha(width=160, height=60)
        return self._artist.generate(answer).getvalue()

    @writes
    def _store(self, tx: Transaction, key: str, answer: str, address: str) -> None:
        captchas = CaptchaRepository(tx)
        captchas.delete_expired(PURGE_WITH_EACH)
        if captchas.waiting(address) >= WAITING_PER_ADDRESS:
            wait = self._settings.captcha_seconds
            raise TooManyCaptchas(retry_after=wait, retry_after_seconds=wait)
        captchas.add(
            Captcha(
                key_hash=token_hash(key),
                answer_hash=answer_hash(key, answer),
                address=address,
                expires_at=tx.now + timedelta(seconds=self._settings.captcha_seconds),
            )
        )

    async def demand(
        self, delays: DelayKeys, answer: CaptchaAnswer | None, *, username_key: str, address: str
    ) -> None:
        """Lets a login pass that needs no picture or answers one rightly.

        Raises CaptchaRequired when an answer is needed and absent, CaptchaWrong when it is not
        the one on a live picture that this address asked for. Whatever comes of it, the picture
        is used up.
        """
        if not await self.is_wanted(delays, username_key=username_key, address=address):
            return
        if answer is None or not answer.key or not answer.value:
            raise CaptchaRequired
        if max(len(answer.key), len(answer.value)) > LONGEST:
            raise CaptchaWrong
        if not await self._redeem(answer, address):
            raise CaptchaWrong

    @reads
    def is_wanted(
        self, tx: Transaction, delays: DelayKeys, *, username_key: str, address: str
    ) -> bool:
        """Whether the next login under this name from this address has to answer a picture.

        The name does not have to be anybody's: the answer is the same.
        """
        if not self._settings.captcha:
            return False
        return is_wanted(
            DelayRepository(tx).failures_of(delays),
            after=self._settings.captcha_after_failures,
            familiar=SessionRepository(tx).is_familiar(username_key, address),
        )

    @writes
    def _redeem(self, tx: Transaction, answer: CaptchaAnswer, address: str) -> bool:
        captcha = CaptchaRepository(tx).take(token_hash(answer.key))
        if captcha is None or captcha.expires_at <= tx.now or captcha.address != address:
            return False
        given = answer_hash(answer.key, answer.value)
        return hmac.compare_digest(captcha.answer_hash, given)

    async def purge(self) -> None:
        """Deletes pictures whose time is over, in short transactions."""
        while await self._purge_some():
            pass

    @writes
    def _purge_some(self, tx: Transaction) -> int:
        return CaptchaRepository(tx).delete_expired(PURGE_AT_ONCE)
