"""Addressed random numbers: the published generator, and addresses that never meet."""

from __future__ import annotations

import itertools
import math
import unicodedata
from decimal import Decimal, localcontext

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.arithmetic import log
from sim.streams import _unit, exponential, exponentials, key_of, name_key, normal, philox, uniform, uniforms

WORDS = st.integers(0, 2**64 - 1).map(np.uint64)
NUMBERS = st.integers(0, 2**32 - 1)


def words(counter: tuple[int, int, int, int], key: tuple[int, int]) -> list[str]:
    """Return the four 32-bit words of Philox4x32-10, as Random123's file of known answers writes them."""
    c0, c1, c2, c3 = counter
    pair = philox(np.uint64(key[0] | key[1] << 32), np.uint64(c0 | c1 << 32), c2, c3)
    return [f"{int(word) >> shift & 0xFFFFFFFF:08x}" for word in pair for shift in (0, 32)]


def by_hand(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 written again from the paper (Salmon et al. 2011, section 3.3), in Python's integers."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return [c0, c1, c2, c3]


def test_philox_gives_the_known_answers_of_random123() -> None:
    # kat_vectors of Random123 1.14, philox4x32 10 rounds.
    ones = 0xFFFFFFFF
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)

    assert ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"] == words((0, 0, 0, 0), (0, 0))
    assert ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"] == words((ones, ones, ones, ones), (ones, ones))
    assert ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"] == words(pi, (0xA4093822, 0x299F31D0))


@given(key=WORDS, name=WORDS, replication=NUMBERS, occurrence=NUMBERS)
def test_philox_is_the_papers_at_any_address(
    key: np.uint64, name: np.uint64, replication: int, occurrence: int
) -> None:
    k, c = int(key), int(name)
    first, second = (int(word) for word in philox(key, name, replication, occurrence))
    told = by_hand([c % 2**32, c >> 32, replication, occurrence], [k % 2**32, k >> 32])

    assert told == [first % 2**32, first >> 32, second % 2**32, second >> 32]


def test_a_uniform_is_never_an_end_of_its_interval() -> None:
    highest = np.uint64(2**64 - 1)

    assert 2.0**-54 == _unit(np.uint64(0))
    assert 1.0 - 2.0**-53 == _unit(highest)
    assert 0.0 < -np.log(_unit(highest))
    assert 0.0 < -log(_unit(highest))


@given(key=WORDS, name=WORDS, replication=NUMBERS)
def test_uniform_exponential_and_normal_of_one_address_agree(key: np.uint64, name: np.uint64, replication: int) -> None:
    first, second = philox(key, name, replication, 0)
    u, v = ((int(word) >> 11) / 2.0**53 + 2.0**-54 for word in (first, second))

    assert 0.0 < uniform(key, name, replication, 0) < 1.0
    assert u == pytest.approx(uniform(key, name, replication, 0), rel=1e-15)
    assert -np.log(u) == pytest.approx(exponential(key, name, replication, 0), rel=1e-12, abs=1e-15)
    score = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    assert score == pytest.approx(normal(key, name, replication, 0), rel=1e-9, abs=1e-12)


# ------------------------------------------------------------------------------------------------- the logarithm

#: The least and the greatest uniform, and where a logarithm of this making is weakest: about 1, about powers of 2, and
#: about sqrt(1/2) times those, where it goes from one of them to the next.
LOW, HIGH = 2.0**-54, 1.0 - 2.0**-53
CORNERS = [
    near
    for k in range(55)
    for x in (2.0**-k, math.sqrt(0.5) * 2.0**-k, 1.0 - 2.0**-k)
    for near in (np.nextafter(x, 0.0), x, np.nextafter(x, 1.0))
    if LOW <= near <= HIGH
]


def ulps(x: float) -> float:
    """Return by how many units in the last place ``log`` of *x* misses the logarithm found in 40 digits."""
    with localcontext() as context:
        context.prec = 40
        true = Decimal(float(x)).ln()
        return float(abs(Decimal(float(log(x))) - true) / Decimal(math.ulp(float(true))))


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**64 - 1).map(lambda word: float(_unit(np.uint64(word)))))
@example(LOW)
@example(HIGH)
def test_the_logarithm_of_a_uniform_is_right_to_one_unit_in_the_last_place(unit: float) -> None:
    assert 1.0 > ulps(unit)


def test_the_logarithm_is_right_wherever_it_is_weakest_and_on_a_grid_of_all_sizes() -> None:
    sizes = np.ldexp(np.linspace(0.5, 1.0, 41)[:-1], -np.arange(54)[:, None]).ravel().tolist()
    worst = max(map(ulps, [*CORNERS, *sizes]))

    assert 1.0 > worst
    assert LOW in sizes and HIGH in CORNERS
    # The uniforms are what matters, but nothing is wrong with other normal numbers.
    assert 1.0 > max(map(ulps, [2.0**-1022, 1e-300, 0.1, 2.0, 10.0, 1e300, 1.7976931348623157e308]))
    assert 0.0 == log(1.0)


@numba.njit(error_model="numpy")
def logs(numbers: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(numbers)):
        out[i] = log(numbers[i])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 31, 10_000])
def test_the_logarithm_has_the_same_bits_alone_and_in_a_loop_done_several_at_a_time(count: int) -> None:
    sizes = np.random.default_rng(count).uniform(0.0, 54.0, 10_000)
    numbers = np.concatenate([2.0**-sizes, CORNERS])[-count:]
    out = np.empty_like(numbers)
    logs(numbers, out)

    assert np.array([log(x) for x in numbers]).tobytes() == out.tobytes()
    assert np.log(numbers) == pytest.approx(out, rel=4.5e-16)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 34, 1000])
def test_exponentials_are_the_same_bits_one_by_one_and_several_at_a_time(count: int) -> None:
    key, names = key_of(5, "clock"), np.array([name_key("P", str(i)) for i in range(count)], np.uint64)
    out = np.full(count + 2, np.nan)
    exponentials(key, names, 2**32 - 1, out[1:-1])

    assert [exponential(key, name, 2**32 - 1, 0) for name in names] == out[1:-1].tolist()
    assert [-math.log(uniform(key, name, 2**32 - 1, 0)) for name in names] == pytest.approx(out[1:-1], rel=1e-15)
    assert np.isnan(out[[0, -1]]).all()


def test_a_name_is_its_text_however_unicode_writes_it() -> None:
    composed = "Paktyā"

    assert composed != unicodedata.normalize("NFD", composed)
    assert name_key(composed) == name_key(unicodedata.normalize("NFD", composed))


def test_names_are_joined_so_that_no_two_lists_of_names_meet() -> None:
    lists = [("ab",), ("a", "b"), ("b", "a"), ("a", "", "b"), ("a b",), ("A", "b"), ("",), ()]
    keys = {name_key(*names) for names in lists}

    # () and ("",) are the same empty text; nothing uses either.
    assert len(lists) - 1 == len(keys)


def test_a_name_keeps_its_key_for_ever() -> None:
    # Changing this number changes every result ever printed: do it only on purpose.
    assert 0x2987C02BBDE18E6F == name_key("Kabul", "seizure")


def test_no_two_addresses_share_a_number() -> None:
    keys = [key_of(seed, purpose) for seed in (0, 1, 2**70) for purpose in ("clock", "history", "start", "frailty")]
    names = [np.uint64(name_key(*name)) for name in (("A", "seizure"), ("A", "assault"), ("B", "seizure"))]
    addresses = list(itertools.product(keys, names, range(10), range(10)))

    assert len(addresses) == len({uniform(*address) for address in addresses})


def test_a_stream_does_not_depend_on_how_much_of_it_is_asked_for() -> None:
    long = uniforms(3, "prior", "seizure.baseline", 1000)

    assert long[:10].tolist() == uniforms(3, "prior", "seizure.baseline", 10).tolist()
    assert long[0] != uniforms(4, "prior", "seizure.baseline", 1)[0]
    assert long[0] != uniforms(3, "prior", "assault.baseline", 1)[0]
    assert long[0] == uniform(key_of(3, "prior"), np.uint64(name_key("seizure.baseline")), 0, 0)


@pytest.mark.parametrize("along", ["replication", "occurrence", "name", "seed"])
def test_numbers_along_every_part_of_an_address_are_uniform_and_unrelated(along: str) -> None:
    count, key, name = 20_000, key_of(1, "clock"), np.uint64(name_key("A", "seizure"))
    numbers = np.array([
        {
            "replication": lambda i: uniform(key, name, i, 0),
            "occurrence": lambda i: uniform(key, name, 0, i),
            "name": lambda i: uniform(key, np.uint64(name_key("A", str(i))), 0, 0),
            "seed": lambda i: uniform(key_of(i, "clock"), name, 0, 0),
        }[along](i)
        for i in range(count)
    ])  # fmt: skip
    serial = np.corrcoef(numbers[:-1], numbers[1:])[0, 1]

    # Kolmogorov's distance at p = 1e-5 is 2.47/sqrt(count); a correlation of five standard errors has p = 6e-7.
    assert 2.47 / np.sqrt(count) > stats.kstest(numbers, "uniform").statistic
    assert 5.0 / np.sqrt(count) > abs(serial)


def test_normals_are_normal() -> None:
    key = key_of(1, "frailty")
    scores = [normal(key, np.uint64(name_key("A")), i, 0) for i in range(20_000)]

    assert 2.47 / np.sqrt(len(scores)) > stats.kstest(scores, "norm").statistic


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (None, TypeError, "seed must be a non-negative integer, but was None; runs are reproducible only with one"),
        (True, TypeError, "seed must be a non-negative integer, but was True; runs are reproducible only with one"),
        (1.0, TypeError, "seed must be a non-negative integer, but was 1.0; runs are reproducible only with one"),
        ("7", TypeError, "seed must be a non-negative integer, but was '7'; runs are reproducible only with one"),
        (-1, ValueError, "seed must be a non-negative integer, but was -1"),
    ],
)
def test_a_seed_is_a_non_negative_integer(seed: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        key_of(seed, "clock")  # type: ignore[arg-type]

    assert message == str(caught.value)


def test_seed_nought_is_a_seed_and_numpys_integers_are_integers() -> None:
    assert key_of(0, "clock") != key_of(1, "clock")
    assert key_of(np.int64(7), "clock") == key_of(7, "clock")
