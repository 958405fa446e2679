from collections.abc import Iterator

import pytest
import torch

from recsys import products


@pytest.fixture(autouse=True)
def setting_put_back() -> Iterator[None]:
    before = torch.backends.mkldnn.matmul.fp32_precision  # another test's command may have set it
    torch.backends.mkldnn.matmul.fp32_precision = "none"
    yield
    torch.backends.mkldnn.matmul.fp32_precision = before


def test_products_stay_float32() -> None:
    products.prefer_onednn()
    one, other = torch.rand(300, 200), torch.rand(200, 100)
    torch.testing.assert_close((one @ other).double(), one.double() @ other.double(), atol=1e-4, rtol=1e-6)


def test_a_rounding_processor_keeps_torchs_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_is_exact", lambda: False)
    assert not products.prefer_onednn()
    assert torch.backends.mkldnn.matmul.fp32_precision != "bf16"
