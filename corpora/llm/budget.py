"""A budget that is never overrun: what a request may cost at most is set aside before it is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from corpora.errors import UserError


@dataclass(frozen=True)
class Budget:
    """What may be spent on a folder of answers, all runs together; 0 is no limit.

    Args:
        tokens: tokens, of prompts and answers.
        money: money, in the currency of the prices.
        input_price: price of a million tokens of prompts.
        output_price: price of a million tokens of answers.
    """

    tokens: int = 0
    money: float = 0.0
    input_price: float = 0.0
    output_price: float = 0.0

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """Price of so many tokens."""
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1e6


class OverBudgetError(Exception):
    """There is not enough left for one more request."""


class Ledger:
    """What has been spent, and what is set aside for requests on their way."""

    def __init__(self, budget: Budget, tokens: int = 0, money: float = 0.0):
        if budget.money and not (budget.input_price or budget.output_price):
            raise UserError(
                "a budget of money needs prices; pass --source.budget.input_price and --source.budget.output_price "
                "(per million tokens)."
            )
        self.budget = budget
        self.tokens = tokens
        self.money = money
        self._set_aside = [0, 0.0]
        self._changed = asyncio.Condition()

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.budget.tokens or self.budget.money)

    async def set_aside(self, input_tokens: int, output_tokens: int) -> None:
        """Wait until so many tokens fit beside all that is on its way; OverBudgetError if they never will."""
        if not self.limited:
            return
        tokens, money = input_tokens + output_tokens, self.budget.cost(input_tokens, output_tokens)
        async with self._changed:
            while not self._fits(self.tokens + self._set_aside[0] + tokens, self.money + self._set_aside[1] + money):
                if not self._set_aside[0]:
                    raise OverBudgetError
                await self._changed.wait()
            self._set_aside[0] += tokens
            self._set_aside[1] += money

    async def settle(self, aside: tuple[int, int], tokens: int, money: float) -> None:
        """Replace what was set aside (input, output tokens) by what was spent."""
        if not self.limited:
            return
        async with self._changed:
            self._set_aside[0] -= sum(aside)
            self._set_aside[1] -= self.budget.cost(*aside)
            self.tokens += tokens
            self.money += money
            self._changed.notify_all()

    def _fits(self, tokens: float, money: float) -> bool:
        return not (self.budget.tokens and tokens > self.budget.tokens) and not (
            self.budget.money and money > self.budget.money * (1 + 1e-9)
        )
