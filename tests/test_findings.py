"""What was once too much for a reader, and what fuzzing begins with, is read or refused."""

import random
from pathlib import Path

import pytest

from fuzz.mutants import mutant
from fuzz.seeds import findings, seeds
from fuzz.targets import TARGETS, survives

CAPTURES = [seed for seed in seeds("capture") if len(seed) > 500]
"""Those with some frames."""


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_seeds_that_it_survives(target: str) -> None:
    made = seeds(target)
    assert made
    for seed in made[:5]:
        survives(TARGETS[target], seed)


@pytest.mark.parametrize(
    ("target", "path"), [(target, path) for target in TARGETS for path in findings(target)]
)
def test_a_finding_stays_mended(target: str, path: Path) -> None:
    survives(TARGETS[target], path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_seeds_are_read_or_refused(target: str) -> None:
    rng = random.Random(target)
    for seed in seeds(target)[:20]:
        damaged = bytearray(seed)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        survives(TARGETS[target], bytes(damaged[: rng.randint(1, len(damaged))]))


@pytest.mark.parametrize("seed", range(60))
def test_a_capture_with_damage_of_any_kind_is_read_or_refused(seed: int) -> None:
    data, other = (CAPTURES[(seed + step) % len(CAPTURES)] for step in (0, 7))
    survives(TARGETS["capture"], mutant(data, other, seed))


def test_a_mutant_is_the_same_for_the_same_seed() -> None:
    made = [mutant(CAPTURES[0], CAPTURES[1], seed) for seed in range(30)]
    assert made == [mutant(CAPTURES[0], CAPTURES[1], seed) for seed in range(30)]
    assert len(set(made)) > 20
