"""What `recsys rerun` is told."""

USAGE = """usage: recsys rerun RUN [key=value ...]

  RUN                directory of a run that recsys train has made: outputs/STUDY/DATA/NAME/seedK
  key=value          what is changed: any override of recsys train, optimizer=radam or loss.temperature=0.5
  -m key=a,b         a grid of changes

Prints the command of recsys train and what of its config differs from the run's, then trains that. The run's own note,
force, output_dir and ledger are not taken over; recsys train --help lists all keys."""
