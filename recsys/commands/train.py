"""`recsys train`: composes the recipe, then runs it."""

from omegaconf import DictConfig

from recsys.commands.command_line import with_note_quoted
from recsys.commands.configuration import run_with_hydra
from recsys.commands.run_directory import register_resolvers


def main(argv: list[str]) -> None:
    """Trains what `argv` (Hydra overrides) describes."""
    register_resolvers()
    run_with_hydra(train, config_name="train", argv=with_note_quoted(argv))


def train(config: DictConfig) -> None:
    """Runs the recipe; torch is imported no sooner, so that a typo is answered at once."""
    from recsys.commands import recipe

    recipe.train(config)
