"""Optimisers that torch does not have."""

import ctypes
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from recsys.kernels.library import call, takes


class LazyAdam(Adam):
    """Adam that updates of an embedding table only the rows that a step used, moments and all.

    For large catalogues with sampled losses: a step takes the same time whatever the number of items. Differs from Adam
    where a row was not used: its moments don't decay and its weights don't move meanwhile (as torch.optim.SparseAdam
    and TensorFlow's LazyAdam have it); all other parameters follow Adam. There is no weight decay: such rows would miss
    it.

    takes_sparse: that embedding tables are to give sparse gradients; read by `TrainingTask`.
    """

    takes_sparse = True

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        with torch.enable_grad():
            loss = closure() if closure is not None else None  # gradients come to be here
        sparse = [(p, group) for group in self.param_groups for p in group["params"] if _sparse(p)]
        gradients = [parameter.grad.coalesce() for parameter, _ in sparse]  # pyright: ignore
        for parameter, _ in sparse:
            parameter.grad = None  # Adam's own step passes over it
        super().step()
        for (parameter, group), gradient in zip(sparse, gradients, strict=True):
            self._update_rows(parameter, gradient, group)
            parameter.grad = gradient
        return loss

    def _update_rows(self, parameter: Tensor, gradient: Tensor, group: dict) -> None:
        """Adam's step (Kingma and Ba, ICLR 2015, section 2) on the rows of a coalesced gradient."""
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        (beta1, beta2), steps = group["betas"], state["step"].item()
        rows, values = gradient.indices()[0], gradient.values()
        mean, squares = state["exp_avg"], state["exp_avg_sq"]
        rate, correction = group["lr"] / (1 - beta1**steps), 1 - beta2**steps
        if takes(parameter) and parameter.is_contiguous() and values.dim() == 2:
            numbers = _Adam(beta1, beta2, 1 - beta1, 1 - beta2, group["eps"], rate, correction)
            tables = (parameter, mean, squares)
            call("adam_rows", *tables, rows.contiguous(), values.contiguous(), *values.shape, numbers)
            return
        mean[rows] = first = mean[rows].mul_(beta1).add_(values, alpha=1 - beta1)
        squares[rows] = second = squares[rows].mul_(beta2).addcmul_(values, values, value=1 - beta2)
        parameter.index_add_(0, rows, first / (second / correction).sqrt_().add_(group["eps"]), alpha=-rate)


class _Adam(ctypes.Structure):
    """What adam.c calls so."""

    _fields_ = [(name, ctypes.c_float) for name in ("beta1", "beta2", "fresh1", "fresh2", "eps", "rate", "correction")]


def _sparse(parameter: Tensor) -> bool:
    return parameter.grad is not None and parameter.grad.is_sparse
