"""Measures everything in this folder, one after the other: python experiments/speed/run.py --help

Two hours on two idle cores with RecTools, of which RecTools takes most. Each script can be run alone.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ml1m", type=Path, required=True, help="SASRec's ml-1m_sas.txt, not gzipped")
    parser.add_argument(
        "--beauty", type=Path, help="S3-Rec's Beauty.txt beside Beauty_item2attributes.json; none: left out"
    )
    parser.add_argument("--rectools", help="python of an environment with RecTools; none: ours alone is timed")
    options = parser.parse_args()
    peer = [f"--rectools={options.rectools}"] if options.rectools else []
    scripts = {
        "compare.py": [f"--data={options.ml1m}", *peer],
        "limits.py": ["--", f"data.path={options.ml1m}"],
        "memory.py": [],
        "growth.py": [],
        "prepare.py": peer,
        "grids.py": [],
        "quality.py": [f"--ml1m={options.ml1m}"],
        "paths.py": [],
        "s3.py": [f"--beauty={options.beauty}"],
        "plots.py": [],
    }
    if not options.beauty:
        del scripts["s3.py"]
    for script, arguments in scripts.items():
        print("==", script, flush=True)
        subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


if __name__ == "__main__":
    main()
