import pytest
import torch
import torch.nn.functional as F

from recsys.models import attention
from recsys.models.attention import attend

B, H, L, D = 5, 2, 9, 4


def inputs() -> list[torch.Tensor]:
    """Query, key and value as an encoder hands them over: views with the head axis moved forward."""
    return [torch.randn(B, L, H, D).transpose(1, 2).requires_grad_() for _ in range(3)]


def masks() -> dict[str, torch.Tensor | None]:
    keys = (torch.arange(L) < torch.tensor([[9], [4], [1], [7], [9]]))[:, None, None, :]  # [B, 1, 1, L]
    return {"causal": None, "keys": keys, "both": keys & torch.ones(L, L).tril().bool()}


@pytest.mark.parametrize("block_bytes", [1, 2 * H * L * L * 4, 2**21])
@pytest.mark.parametrize("name", ["causal", "keys", "both"])
def test_it_is_torchs_attention_with_its_gradients(
    name: str, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "BLOCK_BYTES", block_bytes)
    visible, parts, weight = masks()[name], inputs(), torch.randn(B, H, L, D)
    expected = F.scaled_dot_product_attention(*parts, attn_mask=visible, is_causal=visible is None)
    found = attend(*parts, visible=visible)
    torch.testing.assert_close(found, expected)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), parts),
        torch.autograd.grad((expected * weight).sum(), parts),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_gradients_with_dropout_are_those_of_finite_differences() -> None:
    parts = [part.detach().double().requires_grad_() for part in inputs()]

    def drawn_alike(*tensors: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return attend(*tensors, dropout=0.5)

    assert torch.autograd.gradcheck(drawn_alike, parts)


def test_dropout_keeps_the_mean() -> None:
    query, key, value = (part.detach() for part in inputs())
    mean = torch.stack([attend(query, key, value, dropout=0.5) for _ in range(3000)]).mean(0)
    torch.testing.assert_close(mean, attend(query, key, value), atol=0.15, rtol=0.0)


def test_a_query_that_sees_nothing_is_finite() -> None:
    visible = torch.zeros(B, 1, 1, L, dtype=torch.bool)
    parts = inputs()
    out = attend(*parts, visible=visible)
    torch.testing.assert_close(out, parts[2].mean(2, keepdim=True).expand_as(out))
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(out.sum(), parts))
