"""Each kernel against the same in PyTorch's own operations, with one thread and with several."""

import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from rag.attention import softened
from rag.decoder import Decoder
from rag.int8_products import OneDnnProduct

kernels = pytest.importorskip("rag.int8_kernels", reason="needs numba and GNU's OpenMP", exc_type=ImportError)
int8_decoder = pytest.importorskip("rag.int8_decoder", reason="rests on the kernels", exc_type=ImportError)

COUNTS = [1, 5, 40, 41]
"""Rows: the last two are many enough to be shared between threads, evenly and not."""
TWICE = [False, True]
LEAST_LEVEL = {False: 0.5, True: 1 / 127}
"""How far a value may be from what its numbers say, in levels of 1/127 of the largest one."""


def numbers(given):
    """As int8."""
    return given.numbers if given.numbers.dtype == torch.int8 else given.numbers.to(torch.int16) - 128


def value(given):
    """What the numbers say."""
    count = len(given.sizes)
    found = numbers(given)[:count].float()
    if given.twice:
        found = found + numbers(given)[count:].float() / 127
    return found * given.sizes[:, None]


def assert_near(given, true, twice):
    assert given.twice == twice
    assert given.sizes == pytest.approx(true.abs().amax(dim=1) / 127, rel=1e-5)
    assert ((value(given) - true).abs() / given.sizes[:, None]).max() < LEAST_LEVEL[twice] * 1.01 + 1e-3


def product_of(count, width, *, twice):
    """Rows in int8, a product of them as oneDNN gives it, and what it says of them."""
    given = kernels.bring(torch.randn(count, 16).bfloat16(), twice=twice)
    weight = torch.randint(-127, 128, (width, 16)).float() / 300
    return given, numbers(given).float() @ weight.T, value(given) @ weight.T


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(4)


@pytest.fixture(autouse=True, params=[0, 128])
def nought(request, monkeypatch):
    monkeypatch.setattr(kernels, "NOUGHT", request.param)
    return request.param


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_brought_to_int8_each_with_its_own_size(count, twice, threads):
    rows = (torch.randn(count, 100) * torch.logspace(-3, 3, count)[:, None]).bfloat16()
    rows[0] = 0
    found = kernels.bring(rows, twice=twice)
    assert (numbers(found)[0] == 0).all()
    if count > 1:
        assert_near(kernels.bring(rows[1:], twice=twice), rows[1:].float(), twice)


def test_numbers_are_the_nearest_and_second_ones_what_is_left():
    rows = torch.tensor([[127.0, -127.0, 0.5625, -1.25, 2.5, -0.4]]).bfloat16()
    assert numbers(kernels.bring(rows, twice=False)).tolist() == [[127, -127, 1, -1, 3, 0]]
    assert numbers(kernels.bring(rows, twice=True)).tolist() == [[127, -127, 1, -1, 3, 0], [0, 0, -55, -31, -63, -50]]


@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("count", COUNTS)
def test_norm_is_the_root_mean_square_norm(count, twice, threads):
    rows, weight = torch.randn(count, 96) * 7, torch.randn(96)
    true = functional.rms_norm(rows, (96,), weight, 1e-6)
    assert_near(kernels.norm(rows, weight, 1e-6, twice=twice), true, twice)
    # Where a row is nearly nothing, epsilon is what keeps it so.
    true = functional.rms_norm(rows / 1e6, (96,), weight, 1e-2)
    assert_near(kernels.norm(rows / 1e6, weight, 1e-2, twice=twice), true, twice)


@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("count", COUNTS)
def test_what_a_product_says_is_added(count, twice, threads):
    given, product, true = product_of(count, 70, twice=twice)
    rows = torch.randn(count + 3, 70)
    before = rows.clone()
    kernels.add(rows[3:], product, given)
    assert torch.equal(rows[:3], before[:3])
    assert torch.allclose(rows[3:], before[3:] + true, atol=1e-4)


def test_second_numbers_of_chosen_rows_add_to_first_ones():
    given, product, true = product_of(20, 30, twice=True)
    chosen = torch.tensor([3, 4, 19])
    first, second = given.apart(chosen)
    assert torch.equal(second.numbers, given.numbers[20:][chosen])
    rows = torch.zeros(20, 30)
    kernels.add(rows, product[:20], first)
    some = rows[chosen]
    kernels.add(some, product[20:][chosen], second)
    assert torch.allclose(some, true[chosen], atol=1e-4)
    assert not torch.allclose(rows[chosen], true[chosen], atol=1e-4)


@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("count", COUNTS)
def test_gates_open_as_silu_says(count, twice, threads):
    given, product, true = product_of(count, 120, twice=twice)
    gates, up = true.chunk(2, dim=1)
    found, means = kernels.gate(product, given)
    assert_near(found, functional.silu(gates) * up, True)
    assert torch.allclose(means, (functional.silu(gates) * up).pow(2).mean(dim=1).sqrt(), rtol=1e-4)


def test_gates_far_from_zero_are_shut_or_open():
    given = kernels.Quantised(torch.ones(1, 4, dtype=torch.int8), torch.tensor([1.0]))
    product = torch.tensor([[-300.0, -90.0, 90.0, 300.0, 2.0, 2.0, 2.0, 2.0]])
    found, means = kernels.gate(product, given)
    assert value(found).tolist() == [pytest.approx([0.0, 0.0, 180.0, 600.0], abs=0.05)]
    assert means.tolist() == pytest.approx([313.2], abs=0.05)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("count", COUNTS)
def test_queries_and_keys_are_turned_and_keys_and_values_written_in_their_places(count, twice, biased, threads):
    heads, key_heads, size, room, start = 6, 2, 8, 64, 5
    given, product, true = product_of(count, (heads + 2 * key_heads) * size, twice=twice)
    bias = torch.randn(product.shape[1]) if biased else None
    angles = torch.rand(count, size // 2) * 6
    keys, values = (torch.full((key_heads, room, size), 9.0).bfloat16() for _ in range(2))
    places = slice(start, start + count)
    queries = kernels.turn(product, given, bias, (angles.cos(), angles.sin()), keys[:, places], values[:, places])
    parts = (true if bias is None else true + bias).view(count, heads + 2 * key_heads, size)
    first, second = parts.chunk(2, dim=-1)
    cosines, sines = angles.cos()[:, None], angles.sin()[:, None]
    turned = torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)
    near = {"rtol": 1 / 128, "atol": 1e-4}  # bfloat16
    assert torch.allclose(queries.float(), turned[:, :heads], **near)
    assert torch.allclose(keys[:, places].float(), turned[:, heads : heads + key_heads].transpose(0, 1), **near)
    assert torch.allclose(values[:, places].float(), parts[:, heads + key_heads :].transpose(0, 1), **near)
    for tensor in (keys, values):
        assert (tensor[:, :start] == 9).all()
        assert (tensor[:, start + count :] == 9).all()


def test_bfloat16_is_rounded_as_pytorch_rounds_it():
    given = kernels.Quantised(torch.zeros(1, 1, dtype=torch.int8), torch.tensor([1.0]))
    product = torch.randn(1, 3 * 512) * torch.logspace(-6, 6, 3 * 512)
    product[0, :4] = torch.tensor([1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 1 + 2**-8 + 2**-20])  # between two
    keys, values = (torch.empty(1, 1, 512).bfloat16() for _ in range(2))
    straight = (torch.ones(1, 256), torch.zeros(1, 256))
    queries = kernels.turn(product, given, None, straight, keys, values)
    found = torch.cat([queries.flatten(), keys.flatten(), values.flatten()])
    assert torch.equal(found, product[0].bfloat16())


@pytest.mark.parametrize(("block", "before"), [(1, 4), (5, 0), (40, 33)])
def test_scores_become_weights_as_in_pytorch_and_none_of_what_comes_after(block, before, threads):
    scores = torch.randn(2, 6 * block, before + block).mul_(40).bfloat16()
    expected = softened(scores, 0.3, block=block)
    found = kernels.soften(scores.clone(), 0.3, block=block)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), expected.float(), rtol=2**-7, atol=1e-30)
    assert torch.allclose(found.float().sum(dim=-1), torch.ones(2, 6 * block), atol=0.02)
    after = torch.ones(block, block, dtype=torch.bool).triu(1).repeat(6, 1)
    assert (found[:, :, before:][:, after] == 0).all()


def test_without_numba_the_decoder_is_the_one_in_pytorch():
    """In a process of its own: what is imported here stays so."""
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from rag import decoder_weights as weights\n"
        "weights.has_int8_instructions = weights.has_bfloat16_instructions = lambda: True\n"
        "print(weights._int8_class().__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [Decoder.__name__]


def test_second_numbers_are_multiplied_where_rows_are_few_or_coarse():
    """Rows 2 and 7 have a value so far above all others that the first numbers of the others say little."""
    decoder = object.__new__(int8_decoder.Int8Decoder)
    weight = torch.randint(-127, 128, (24, 1024), dtype=torch.int8)
    product = OneDnnProduct(weight, torch.full((24,), 1 / 300), None)
    given = torch.randn(40, 1024)
    given[[2, 7], 5] = 300
    true = given @ (weight.float() / 300).T
    for rows, exact in ((slice(0, 8), range(8)), (slice(0, 40), (2, 7))):
        gated = kernels.norm(given[rows], torch.ones(1024), 0.0, twice=True)
        means = given[rows].pow(2).mean(dim=1).sqrt()
        # `norm` brought each row to a mean square of 1; here it is to be what it was.
        gated = kernels.Quantised(gated.numbers, gated.sizes * means)
        found = torch.zeros(len(means), 24)
        decoder._add_gated(found, product, gated, means)
        errors = (found - true[rows]).norm(dim=1) / true[rows].norm(dim=1)
        nearly_exact = (errors < 0.003).nonzero()[:, 0].tolist()
        assert nearly_exact == list(exact)
