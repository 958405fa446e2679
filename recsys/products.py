"""Which library multiplies float32 matrices on a CPU, in what pieces and in which type."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

FEW_BITS = 5  # a round number has at most these, the others being 0: there are 16 from 2^n up to below 2^(n+1)
TOLERANCE = 1e-5  # of products of 64 numbers in [0, 1): float32 stays below, bfloat16 errs by 1e-2


def prefer_onednn() -> bool:
    """Has oneDNN multiply float32 matrices where it does so exactly; returns whether it does.

    torch multiplies with MKL, which on an AMD processor leaves half of AVX-512's rate unused (measured on Zen 5: 97
    against 210 GFLOP/s a core). Allowing oneDNN to use bfloat16 makes torch call oneDNN, which on a processor without
    matrix units (AMX) still multiplies in float32. Where it does round to bfloat16, the setting is put back.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    products = torch.backends.mkldnn.matmul  # pyright: ignore[reportAttributeAccessIssue]
    before, products.fp32_precision = products.fp32_precision, "bf16"
    if _is_exact():
        return True
    products.fp32_precision = before
    return False


def product(one: Tensor, other: Tensor, out: Tensor) -> None:
    """Writes one @ other to out, which may be of a wider type than they are."""
    if out.dtype == one.dtype:
        torch.mm(one, other, out=out)
    else:
        out.copy_(one @ other)


def add_product(total: Tensor, one: Tensor, other: Tensor) -> None:
    """Adds one @ other to the total, which may be of a wider type than they are."""
    if total.dtype == one.dtype:
        total.addmm_(one, other)
    else:
        total.add_(one @ other)


def pieces(count: int, size: int) -> Iterator[slice]:
    """Cuts 0..count into pieces of `size`, and what is left over into halves, quarters and so on of it.

    oneDNN compiles a kernel for each new shape of a product (1 ms, 1 MB): a remainder of any size would make hundreds.
    """
    start = 0
    while start < count:
        while size > count - start:
            size = max(1, size // 2)
        yield slice(start, start + size)
        start += size


def spare(count: int) -> int:
    """What is missing from `count` rows to a round number of them, at most a sixteenth; for the reason above."""
    return -count % max(1, 2 ** (count.bit_length() - FEW_BITS))


def on_round_rows(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """layer(x) of rows x [N, D], which it takes one by one, as a product of a round number of rows."""
    missing = spare(len(x))
    return layer(F.pad(x, (0, 0, 0, missing)))[: len(x)] if missing else layer(x)


def _is_exact() -> bool:
    generator = torch.Generator().manual_seed(0)
    for rows, columns in ((256, 3000), (4096, 64)):
        one = torch.rand(rows, 64, generator=generator)
        other = torch.rand(64, columns, generator=generator)
        if (one @ other - (one.double() @ other.double())).abs().max() > 64 * TOLERANCE:
            return False
    return True
