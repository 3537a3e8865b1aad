"""Who may do what at the desk. Searchers have no role, for they have no account."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from werkzeug.exceptions import Forbidden, Unauthorized


class Role(IntEnum):
    """Each may do what those below it may."""

    ANALYST = 1
    EDITOR = 2
    ADMIN = 3

    @property
    def label(self) -> str:
        """For people."""
        return _LABELS[self]

    @property
    def code(self) -> str:
        """For the command line, forms and the database."""
        return self.name.lower()

    @classmethod
    def of(cls, code: str) -> Role:
        """The role of that code. Raises ValueError."""
        for role in cls:
            if role.code == code:
                return role
        raise ValueError(f"没有“{code}”这个角色；可选的有 {'、'.join(role.code for role in cls)}。")


_LABELS = {Role.ANALYST: "分析员", Role.EDITOR: "编辑", Role.ADMIN: "管理员"}


@dataclass(frozen=True)
class User:
    """Someone who may log in."""

    number: int
    name: str  #: as `passwords.normal_name` gives it
    role: Role
    created: int  #: seconds since 1970, UTC, as all times here
    has_password: bool  #: false as long as the one-time link was not used
    last_login: int | None


class NotLoggedIn(Unauthorized):
    """A form or a program's call without a session; who only looks is led to the login instead."""


class RoleTooLow(Forbidden):
    """The description tells a person which role is needed."""
