"""Scopes, steps and recording: nested, kept, left half-way, in threads and in tasks."""

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from microgrrepresent import Tensor, grad, no_grad, scope, step, steps
from microgrrepresent.blocks import _half_way
from microgrrepresent.place import Place, current, here


def made():
    """Where a node is made now: (scope, step, recorded)."""
    y = Tensor(1.0, requires_grad=True) * 2
    return y.scope, y.step, not y.is_leaf


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert here.get() == Place() and not _half_way


BLOCKS = {
    "no_grad": (no_grad(), ("", None, False), ("", None, False)),
    "scope": (scope("a"), ("a", None, True), ("a/a", None, True)),
    "step": (step(4), ("", 4, True), ("", 4, True)),
}


@pytest.mark.parametrize(("block", "once", "twice"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_may_be_kept_used_again_and_nested_in_itself(block, once, twice):
    for _ in range(2):
        with block:
            assert made() == once
            with block:
                assert made() == twice
            assert made() == once
        assert made() == ("", None, True)


def test_a_block_that_is_kept_counts_from_where_it_is_used():
    inner, at_three = scope("inner"), step(3)
    with scope("outer"), step(7), inner:
        assert made() == ("outer/inner", 7, True)
        with at_three, no_grad():
            assert made() == ("outer/inner", 3, False)
    with inner:
        assert made() == ("inner", None, True)


@pytest.mark.parametrize(("block", "once", "twice"), BLOCKS.values(), ids=BLOCKS)
def test_an_exception_ends_the_block(block, once, twice):
    with step(1):
        with pytest.raises(ZeroDivisionError), block, block:
            raise ZeroDivisionError
        assert made() == ("", 1, True)


@pytest.mark.parametrize(("block", "once", "twice"), BLOCKS.values(), ids=BLOCKS)
def test_a_decorated_function_runs_inside_also_when_it_calls_itself(block, once, twice):
    @block
    def body(depth):
        return [made(), *(body(depth - 1) if depth else []), made()]

    places = body(1)
    assert places == [once, twice, twice, once]
    assert made() == ("", None, True)


class Late:
    async def __call__(self):
        yield 1


def generator(n=1):
    yield n


async def coroutine():
    return 1


async def asynchronous_generator():
    yield 1


LATE = [
    generator,
    coroutine,
    asynchronous_generator,
    partial(generator, 2),
    Late(),
    Late().__call__,
]


@pytest.mark.parametrize("function", LATE)
def test_what_a_decorator_cannot_reach_is_refused(function):
    with pytest.raises(TypeError, match="runs after the call"):
        no_grad()(function)


@pytest.mark.parametrize("thing", [Late, classmethod(generator), property(generator), 3])
def test_what_is_no_function_is_not_decorated(thing):
    with pytest.raises(TypeError, match="decorates a function, got"):
        no_grad()(thing)


def test_a_partial_function_and_a_callable_object_are_decorated():
    assert no_grad()(partial(made))() == ("", None, False)
    assert scope("a")(type("Callable", (), {"__call__": lambda self: made()})())() == (
        "a",
        None,
        True,
    )


def inside(block):
    with block:
        yield made()
        yield made()


@pytest.mark.parametrize(("block", "once", "twice"), BLOCKS.values(), ids=BLOCKS)
def test_a_generator_left_half_way_in_a_block_ends_with_the_block_around_it(block, once, twice):
    for outer in (no_grad(), scope("b"), step(9)):
        with step(2):
            with outer:
                left = inside(block)
                next(left)
            assert made() == ("", 2, True)
            left.close()
            assert made() == ("", 2, True)


@pytest.mark.parametrize(("block", "once", "twice"), BLOCKS.values(), ids=BLOCKS)
def test_a_generator_may_be_closed_at_any_time(block, once, twice):
    left = inside(block)
    assert next(left) == once
    with scope("later"):
        left.close()
    assert made() == ("", None, True)
    left = inside(block)
    next(left)
    del left
    assert made() == ("", None, True)


@pytest.mark.parametrize("around", [no_grad, lambda: scope("b"), lambda: step(9)])
@pytest.mark.parametrize("block", [block for block, _, _ in BLOCKS.values()], ids=BLOCKS)
def test_a_generator_closed_inside_a_block_leaves_that_block_as_it_is(block, around):
    for kept in (around(), block):
        with kept:
            alone = made()
        left = inside(block)
        next(left)
        with kept:
            left.close()
            assert made() == alone
        assert made() == ("", None, True)


@contextmanager
def quiet():
    with no_grad():
        yield


@contextmanager
def stacked():
    with ExitStack() as stack:
        stack.enter_context(no_grad())
        yield


@pytest.mark.parametrize("off", [quiet, stacked, no_grad])
def test_context_managers_made_of_blocks_are_blocks(off):
    left = inside(scope("a"))
    next(left)
    with off():
        left.close()
        assert made() == ("", None, False)
    assert made() == ("", None, True)
    with off():
        left = inside(no_grad())
        next(left)
    assert made() == ("", None, True)
    with ExitStack() as stack:
        left = inside(step(3))
        next(left)
        stack.enter_context(off())
        left.close()
        assert made() == ("", None, False)
    assert made() == ("", None, True)


def test_generators_end_in_any_order():
    blocks = [scope("a"), step(1), no_grad(), scope("b"), step(2)]
    want = {0: "a", 3: "b"}
    for order in itertools.permutations(range(5)):
        left = {i: inside(block) for i, block in enumerate(blocks)}
        for generator in left.values():
            next(generator)
        for i in order:
            left.pop(i).close()
            name = "/".join(want[k] for k in left if k in want)
            t = 2 if 4 in left else 1 if 1 in left else None
            assert made() == (name, t, 2 not in left)


def test_an_asynchronous_generator_is_closed_in_its_task():
    async def numbers():
        with no_grad():
            yield made()
            yield made()

    async def main():
        left = numbers()
        assert await anext(left) == ("", None, False)
        with scope("a"):
            await left.aclose()
            assert made() == ("a", None, True)
        with step(1):
            left = numbers()
            await anext(left)
        assert made() == ("", None, True)
        await left.aclose()
        return made()

    assert asyncio.run(main()) == ("", None, True)


@pytest.fixture
def reading_as_at_the_start():
    yield
    here.get = current.get


@pytest.mark.usefixtures("reading_as_at_the_start")
@pytest.mark.parametrize("raises", [False, True])
def test_an_asynchronous_generator_that_a_loop_broke_out_of_ends_by_itself(raises):
    async def batches():
        with no_grad():
            for t, _ in steps([1, 2]):
                yield t

    async def main():
        with scope("a"):
            try:
                async for _ in batches():
                    assert made() == ("a", 1, False)
                    if raises:
                        raise ZeroDivisionError
                    break
            except ZeroDivisionError:
                pass
            with scope("b"):
                await asyncio.sleep(0.01)  # asyncio closes it meanwhile, in a task of its own
                assert made() == ("a/b", None, True)
            return made()

    assert asyncio.run(main()) == ("a", None, True)


# --- steps ---------------------------------------------------------------------------------------


def test_a_loop_over_steps_may_be_left_half_way_and_closed_at_any_time():
    with scope("a"):
        left = steps("abc")
        next(left)
        assert made() == ("a", 1, True)
        with step(7), scope("b"):
            left.close()
            assert made() == ("a/b", 7, True)
    assert made() == ("", None, True)

    with scope("a"), step(5):
        left = steps("abc")
        next(left)
        assert made() == ("a", 1, True)
    assert made() == ("", None, True)
    left.close()
    assert made() == ("", None, True)

    for _ in steps("abc"):
        break
    assert made() == ("", None, True)


@pytest.mark.parametrize("lengths", [(3, 3), (2, 3), (3, 2)])
def test_two_loops_may_be_zipped_together(lengths):
    with scope("a"), step(9):
        seen = []
        for (t, _), (s, _) in zip(*(steps("abc"[:n]) for n in lengths), strict=False):
            seen.append((t, s, made()))
        assert seen == [(t, t, ("a", t, True)) for t in range(1, min(lengths) + 1)]
        assert made() == ("a", 9, True)


def test_a_generator_closed_inside_a_loop_leaves_the_step_as_it_is():
    left = inside(no_grad())
    next(left)
    for t, _ in steps("abc"):
        if t == 2:
            left.close()
        assert made() == ("", t, t > 1)
    assert made() == ("", None, True)


def test_loops_nest():
    seen = []
    for t, _ in steps("ab"):
        for s, _ in steps("xyz", start=10):
            if s == 12:
                break
            seen.append((t, made()[1]))
        seen.append((t, made()[1]))
    assert seen == [(1, 10), (1, 11), (1, 1), (2, 10), (2, 11), (2, 2)]


# --- threads and tasks ---------------------------------------------------------------------------


def test_threads_share_a_block_and_not_a_place():
    off, barrier, found = no_grad(), threading.Barrier(4, timeout=30), {}

    def work(i):
        with step(i):
            barrier.wait()
            if i % 2:
                with off:
                    barrier.wait()
                    inner = made()
                    barrier.wait()
            else:
                barrier.wait()
                inner = made()
                barrier.wait()
            found[i] = inner, made()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: (("", i, i % 2 == 0), ("", i, True)) for i in range(4)}


def test_tasks_share_a_block_and_not_a_place():
    off = no_grad()

    async def work(i):
        seen = []
        for t, _ in steps("abc", start=10 * i):
            await asyncio.sleep(0)
            with scope(f"task{i}"):
                await asyncio.sleep(0)
                if i % 2:
                    with off:
                        await asyncio.sleep(0)
                        seen.append((t, made()))
                else:
                    seen.append((t, made()))
        return seen

    async def main():
        return await asyncio.gather(*map(work, range(4)))

    for i, seen in enumerate(asyncio.run(main())):
        assert seen == [(t, (f"task{i}", t, i % 2 == 0)) for t in range(10 * i, 10 * i + 3)]


def over_steps():
    for t, _ in steps("ab", start=7):
        yield t


@pytest.mark.usefixtures("reading_as_at_the_start")
@pytest.mark.parametrize("end", [list, lambda left: left.close()])
@pytest.mark.parametrize(
    ("batches", "place"),
    [
        *((partial(inside, block), once) for block, once, _ in BLOCKS.values()),
        (over_steps, ("", 7, True)),
    ],
    ids=[*BLOCKS, "steps"],
)
def test_a_generator_that_ends_in_another_thread_ends_its_block(batches, place, end):
    def begin():
        next(left)
        return made()

    with ThreadPoolExecutor(1) as pool:
        other = batches()  # of the same block, and still inside of it when the first one ends
        left = batches()
        assert pool.submit(begin).result() == pool.submit(made).result() == place
        with scope("here"):
            next(other)
            alone = made()
            end(left)
            assert made() == alone != ("here", None, True)
            other.close()
            assert made() == ("here", None, True)
        assert pool.submit(made).result() == ("", None, True)
        with no_grad():
            assert pool.submit(made).result() == ("", None, True)


def test_a_symbolic_sweep_leaves_the_place_alone():
    x = Tensor([1.0, 2.0])
    with step(5):
        y = (x * x).sum()
    with scope("outside"):
        g = grad(y, x, create_graph=True)
        assert (g.scope, g.step) == ("", 5) and made() == ("outside", None, True)
        with no_grad():
            g = grad(y, x, create_graph=True)
            assert g.is_leaf and made() == ("outside", None, False)
