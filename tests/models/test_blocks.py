import pytest
import torch
import torch.nn.functional as F

from recsys.models.blocks import LiGRBlock, PostNormBlock, PreNormBlock, SASRecBlock, Transformer
from recsys.models.layers import SwiGLU
from recsys.models.rows import rows_of

ROWS = rows_of(torch.tensor([3, 3]), width=3, causal=True)
SIZES = {"dim": 8, "num_heads": 2, "feedforward_dim": 16, "dropout": 0.0, "attention_dropout": 0.0}


def test_swiglu_is_the_formula() -> None:
    layer, x = SwiGLU(dim=4, hidden=6, dropout=0.0), torch.randn(2, 3, 4)
    gate, value = layer.expand.weight[:6], layer.expand.weight[6:]
    expected = (F.silu(x @ gate.T) * (x @ value.T)) @ layer.contract.weight.T
    torch.testing.assert_close(layer(x), expected)


def test_closed_gates_of_a_ligr_block_let_the_input_pass() -> None:
    block, x = LiGRBlock(**SIZES), torch.randn(6, 8)
    for gate in (block.attention_gate, block.feedforward_gate):
        torch.nn.init.constant_(gate.bias, -1e3)
    torch.testing.assert_close(block(x, ROWS), x)


def test_open_gates_of_a_ligr_block_add_everything() -> None:
    block, x = LiGRBlock(**SIZES), torch.randn(6, 8)
    for gate in (block.attention_gate, block.feedforward_gate):
        torch.nn.init.constant_(gate.bias, 1e3)
    normed = block.attention_norm(x)
    attended = x + block.attention(normed, normed, ROWS)
    torch.testing.assert_close(block(x, ROWS), attended + block.feedforward(block.feedforward_norm(attended)))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("block", [PreNormBlock, PostNormBlock, SASRecBlock, LiGRBlock])
def test_the_ends_alone_are_what_they_are_among_all(block: type[torch.nn.Module], causal: bool) -> None:
    transformer = Transformer(**SIZES, num_blocks=2, block=block)
    x, lengths = torch.randn(9, 8), torch.tensor([5, 1, 3])
    rows = rows_of(lengths, width=5, causal=causal)
    expected = transformer(x, rows)[lengths.cumsum(0) - 1]
    torch.testing.assert_close(transformer(x, rows.ends()), expected)


@pytest.mark.parametrize("block", [PreNormBlock, PostNormBlock])
def test_the_inner_dropout_is_the_others_unless_it_is_given(block: type[torch.nn.Module]) -> None:
    sizes = {**SIZES, "dropout": 0.5}
    assert block(**sizes).feedforward.dropout.p == 0.5
    assert block(**sizes, inner_dropout=0.0).feedforward.dropout.p == 0.0
