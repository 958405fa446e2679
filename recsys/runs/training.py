"""`recsys train`: composes the recipe, then runs it."""

from omegaconf import DictConfig

from recsys.config.command_line import with_note_quoted
from recsys.config.composing import run_with_hydra
from recsys.runs.directory import register_resolvers


def main(argv: list[str]) -> None:
    """Trains what `argv` (Hydra overrides) describes."""
    register_resolvers()
    run_with_hydra(train, config_name="train", argv=with_note_quoted(argv))


def train(config: DictConfig) -> None:
    """Runs the recipe; torch is imported no sooner, so that a typo is answered at once."""
    from recsys.runs import recipe

    recipe.train(config)
