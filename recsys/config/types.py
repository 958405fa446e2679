"""A composed configuration checked against the signatures of the constructors it names."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from hydra._internal.utils import _locate as locate  # get_object logs an error of its own before it raises
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from typeguard import CollectionCheckStrategy, ForwardRefPolicy, TypeCheckError, check_type

from recsys.config.errors import nearest

Parameters = Mapping[str, inspect.Parameter]


def check_types(config: DictConfig) -> None:
    """Check a composed configuration against the constructors it names, before any time is spent.

    No value may be missing (`???`). In every node with a `_target_`, each key must be a parameter of the
    target, each value must satisfy the parameter's type hint, and each parameter without a default must be
    there unless the node is `_partial_`. A list stands for any sequence or tuple. A parameter without a
    hint takes anything, and so does one whose value is itself built from a `_target_`. Raises ValueError at
    the first offence, naming the key.
    """
    for path, node in list(_nodes(config, "")):  # all first: missing values are told before wrong ones
        if _is_target(node):
            _check_node(path, node)


def _nodes(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """`node` and every mapping and list in it, each with its dotted path; no value may be missing."""
    yield path, node
    for key in range(len(node)) if OmegaConf.is_list(node) else node:
        full_key = f"{path}[{key}]" if OmegaConf.is_list(node) else _join(path, str(key))
        if OmegaConf.is_missing(node, key):
            raise ValueError(f"{full_key} is required: pass {full_key}=...")
        try:
            child = node[key]
        except OmegaConfBaseException as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{full_key} cannot be resolved: {reason}") from error
        if OmegaConf.is_config(child):
            yield from _nodes(child, full_key)


def _check_node(path: str, node: DictConfig) -> None:
    target = node["_target_"]
    parameters = _parameters(_constructor(path, target))
    if parameters is None:
        return
    for key in map(str, node):
        if not key.startswith("_"):
            _check_key(path, key, target, parameters)
            _check_value(_join(path, key), node[key], target, parameters.get(key))
    if not node.get("_partial_", False):
        _check_complete(path, node, target, parameters)


def _constructor(path: str, target: object) -> Callable[..., object]:
    try:
        factory = locate(str(target))
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ValueError(f"{path}._target_ ({target}) cannot be imported: {reason}") from error
    if not callable(factory):
        raise ValueError(f"{path}._target_ ({target}) must be callable, got {type(factory).__name__}")
    return factory


def _parameters(factory: Callable[..., object]) -> Parameters | None:
    """The parameters, their hints evaluated; None where Python knows no signature (C functions)."""
    try:
        return inspect.signature(factory, eval_str=True).parameters
    except ValueError:
        return None
    except (NameError, AttributeError):  # a hint that only type checkers can import stays text
        return inspect.signature(factory).parameters


def _check_key(path: str, key: str, target: str, parameters: Parameters) -> None:
    kinds = {parameter.kind for parameter in parameters.values()}
    if key in parameters or inspect.Parameter.VAR_KEYWORD in kinds:
        return
    near = nearest(key, list(parameters))
    advice = f"; did you mean {_join(path, near)}?" if near else ""
    raise ValueError(
        f"{_join(path, key)}: unknown key of {target}; known keys: {', '.join(parameters) or 'none'}{advice}"
    )


def _check_value(full_key: str, value: Any, target: str, parameter: inspect.Parameter | None) -> None:
    hint = inspect.Parameter.empty if parameter is None else parameter.annotation
    if hint is inspect.Parameter.empty or isinstance(hint, str) or _builds(value):
        return
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if not _satisfies(plain, hint) and not _satisfies(_as_tuples(plain), hint):
        if isinstance(plain, str) and get_origin(hint) is Callable:
            option = "/".join(full_key.rsplit(".", 1))
            raise ValueError(f"{full_key} ({plain}) is chosen, not set: write {option}={plain}")
        full_key, plain, hint = _innermost(full_key, plain, hint)
        wanted = inspect.formatannotation(hint).replace("collections.abc.", "")
        got = type(plain).__name__
        raise ValueError(f"{full_key} ({plain!r}) must be {wanted}, got {got}: {target} declares that type")


def _innermost(full_key: str, value: object, hint: Any) -> tuple[str, object, Any]:
    """Key, value and type of what is wrong: in a mapping, its first entry of another type."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else [hint]
    mappings = [option for option in options if get_origin(option) in (dict, Mapping)]
    if isinstance(value, dict) and mappings:
        _, each = get_args(mappings[0])
        for key, entry in value.items():
            if not _satisfies(entry, each):
                return _innermost(_join(full_key, str(key)), entry, each)
    return full_key, value, hint


def _check_complete(path: str, node: DictConfig, target: str, parameters: Parameters) -> None:
    """Every parameter without a default is in the node, or filled by one of its positional `_args_`."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    by_name = list(parameters.values())[len(node.get("_args_", [])) :]
    for parameter in by_name:
        required = parameter.default is inspect.Parameter.empty and parameter.kind not in variadic
        if required and parameter.name not in node:
            full_key = _join(path, parameter.name)
            raise ValueError(f"{full_key} is required by {target}: pass +{full_key}=...")


def _satisfies(value: object, hint: Any) -> bool:
    """Whether `value` has the type `hint`: an int is a float too, but `true` is no number."""
    options = get_args(hint) or (hint,)
    if isinstance(value, bool) and bool not in options and any(option in (int, float) for option in options):
        return False
    try:
        check_type(
            value,
            hint,
            forward_ref_policy=ForwardRefPolicy.IGNORE,
            collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS,
        )
    except TypeCheckError:
        return False
    return True


def _as_tuples(value: object) -> object:
    """YAML has no tuples, so every list may stand for one."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _builds(value: Any) -> bool:
    """Whether anything in `value` is built from a `_target_`: its type is known only once it is built."""
    return OmegaConf.is_config(value) and any(_is_target(node) for _, node in _nodes(value, ""))


def _is_target(node: Any) -> bool:
    return OmegaConf.is_dict(node) and "_target_" in node


def _join(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".")
