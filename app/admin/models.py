"""The table of refusals: how often which limit refused somebody, by day; who it was is not kept."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Refusal(Base):
    """How many requests one limit refused on one day (UTC), over all workers."""

    __tablename__ = "refusals"

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    rule: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
