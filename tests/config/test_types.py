"""The check of a configuration against the constructors that it names."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import pytest
from omegaconf import DictConfig, OmegaConf

from recsys.config.composing import check_types
from tests.sentences import message


class Encoder:
    """What the toy configurations build."""

    def __init__(
        self,
        *,
        dim: int,
        dropout: float = 0.0,
        sizes: Sequence[int] = (),
        betas: tuple[float, float] = (0.9, 0.99),
        norm: Literal["pre", "post"] = "pre",
        path: str | None = None,
        act: Callable[[float], float] = abs,
        options: dict[str, int] | None = None,
        nested: Mapping[str, Mapping[str, float | None]] = MappingProxyType({}),
        untyped=None,
    ) -> None: ...


def flexible(first: int, *rest: int, **named: int) -> None:
    """Takes any key, and positional arguments."""


HERE = __name__


def encoder(text: str) -> DictConfig:
    """A configuration whose `model` is an Encoder with the given keys (YAML flow)."""
    return OmegaConf.create(f"model: {{_target_: {HERE}.Encoder, {text}}}")


@pytest.mark.parametrize(
    "text",
    [
        "dim: 64",
        "dim: 64, dropout: 0.1",
        "dim: 64, dropout: 0",
        "dim: 64, sizes: [1, 2]",
        "dim: 64, sizes: []",
        "dim: 64, betas: [0.9, 1]",
        "dim: 64, norm: post",
        "dim: 64, path: null",
        "dim: 64, path: a/b",
        "dim: 64, options: {a: 1}",
        "dim: 64, untyped: [1, a]",
        "dim: '${width}'",
        "_partial_: true",
        "_partial_: true, _convert_: all, dropout: 0.1",
        "dim: 64, act: {_target_: builtins.float}",
    ],
)
def test_a_right_configuration_passes(text: str):
    config = encoder(text)
    config.width = 64
    check_types(config)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dim: abc", "model.dim ('abc') must be int, got str"),
        ("dim: 6.5", "model.dim (6.5) must be int, got float"),
        ("dim: true", "model.dim (True) must be int, got bool"),
        ("dim: null", "model.dim (None) must be int, got NoneType"),
        ("dim: 64, dropout: high", "model.dropout ('high') must be float, got str"),
        ("dim: 64, sizes: [1, a]", "model.sizes ([1, 'a']) must be Sequence[int], got list"),
        ("dim: 64, betas: [0.9]", "model.betas ([0.9]) must be tuple[float, float], got list"),
        ("dim: 64, norm: poste", "model.norm ('poste') must be Literal['pre', 'post'], got str"),
        ("dim: 64, path: 3", "model.path (3) must be str | None, got int"),
        ("dim: 64, options: {a: 1, b: c}", "model.options.b ('c') must be int, got str"),
        ("dim: 64, options: {1: 1}", "model.options ({1: 1}) must be dict[str, int] | None, got dict"),
        ("dim: 64, options: [1]", "model.options ([1]) must be dict[str, int] | None, got list"),
        ("dim: 64, nested: {a: {b: 1, c: d}}", "model.nested.a.c ('d') must be float | None, got str"),
        ("_partial_: true, dropout: high", "model.dropout ('high') must be float, got str"),
    ],
)
def test_a_wrong_type_names_the_key_the_value_and_the_constructor(text: str, place: str):
    assert message(lambda: check_types(encoder(text))) == f"{place}: {HERE}.Encoder declares that type"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dropout: 0.1", f"model.dim is required by {HERE}.Encoder: pass +model.dim=..."),
        ("dim: '???'", "model.dim is required: pass model.dim=..."),
        ("dim: 64, options: {a: '???'}", "model.options.a is required: pass model.options.a=..."),
        ("dim: 64, sizes: [1, '???']", "model.sizes[1] is required: pass model.sizes[1]=..."),
        ("dim: '${width}'", "model.dim cannot be resolved: Interpolation key 'width' not found"),
    ],
)
def test_a_missing_value_is_named(text: str, sentence: str):
    assert message(lambda: check_types(encoder(text))) == sentence


def test_a_missing_value_outside_of_any_constructor_is_named():
    assert message(lambda: check_types(OmegaConf.create("study: ???"))) == "study is required: pass study=..."


def test_an_unknown_key_names_the_known_ones():
    sentence = message(lambda: check_types(encoder("dim: 64, dropuot: 0.1")))
    assert sentence.startswith(f"model.dropuot: unknown key of {HERE}.Encoder; known keys: dim, dropout, sizes,")
    assert sentence.endswith("; did you mean model.dropout?")


def test_constructors_nested_in_keys_and_lists_are_checked_on_their_own():
    inner = f"{{_target_: {HERE}.Encoder, dim: abc}}"
    nested = OmegaConf.create(f"a: {{_target_: {HERE}.Encoder, dim: 1, act: {inner}}}")
    listed = OmegaConf.create(f"a: [{{b: {inner}}}]")
    assert message(lambda: check_types(nested)).startswith("a.act.dim ('abc') must be int")
    assert message(lambda: check_types(listed)).startswith("a[0].b.dim ('abc') must be int")


def test_open_signatures_take_any_key():
    check_types(OmegaConf.create(f"a: {{_target_: {HERE}.flexible, _args_: [1, 2], other: 3}}"))
    check_types(OmegaConf.create("a: {_target_: builtins.dict, other: 3}"))


@pytest.mark.parametrize("target", ["recsys.no_such_module.Encoder", f"{HERE}.Encodre"])
def test_a_target_that_does_not_exist_is_named(target: str):
    sentence = message(lambda: check_types(OmegaConf.create(f"model: {{_target_: {target}}}")))
    assert sentence.startswith(f"model._target_ ({target}) cannot be imported: ")


def test_a_target_that_cannot_be_called_is_named():
    config = OmegaConf.create(f"model: {{_target_: {HERE}.HERE}}")
    assert message(lambda: check_types(config)) == f"model._target_ ({HERE}.HERE) must be callable, got str"
