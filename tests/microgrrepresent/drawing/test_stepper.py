"""The stepper page: its data against the engine, and the page itself in a real browser."""

import json
import re
from base64 import b64decode
from itertools import count

import numpy as np
import pytest

from microgrrepresent import GradientError, Graph, Tensor, backward, draw, exp, log, steps
from microgrrepresent.drawing import stepper
from microgrrepresent.drawing.page.array_data import CELLS, FULL, each_array_once, numbers
from microgrrepresent.drawing.page.stepper_data import stepper_data
from microgrrepresent.errors import DrawingError
from rnn import GRUCell, Linear, LSTMCell, RNNCell, mse_loss, sequence_loss, unroll

T = 4


def run(kind=LSTMCell, length=T, hidden=3, batch=(), **how):
    rng = np.random.default_rng(0)
    cell, head = kind(2, hidden, rng=0, **how), Linear(hidden, 2, rng=1)
    head.weight.named("V")
    head.bias.named("b_y")
    outputs = [head(h) for h in unroll(cell, rng.normal(size=(length, *batch, 2))).outputs]
    return sequence_loss(mse_loss, outputs, rng.normal(size=(length, *batch, 2)))


def data_of(loss):
    graph = Graph(loss)
    adjoints = backward(loss)
    return stepper_data(graph, adjoints, draw(graph).picture), graph, adjoints


def shown_nodes(graph, data):
    """The graph's nodes that the page knows, in its order: all but numbers in the code."""
    nodes = [n for n in graph if n.op is None or n.op.name != "constant"]
    assert len(nodes) == len(data["nodes"])
    return nodes


def full(array):
    return np.array(array["full"], float).reshape(array["shape"])


# --- the data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RNNCell, GRUCell, LSTMCell])
def test_every_number_is_the_engines(kind):
    data, graph, adjoints = data_of(run(kind))
    nodes = shown_nodes(graph, data)
    for node, shown in zip(nodes, data["nodes"], strict=True):
        if node.size <= FULL:
            np.testing.assert_allclose(full(shown["value"]), node.value, rtol=1e-5)
        assert (shown["adjoint"] is not None) == (node in adjoints)
        assert shown["step"] == node.step
        for i, edge in enumerate(shown["edges"]):
            if edge["parent"] >= 0:
                assert nodes[edge["parent"]] is node.parents[i]
            part = adjoints.along(node, i)
            assert (edge["part"] is None) == (part is None)
            if part is not None and part.size <= FULL:
                np.testing.assert_allclose(full(edge["part"]), part, rtol=1e-5, atol=1e-300)


def test_the_stops_run_forward_and_back_over_every_operation():
    data, graph, adjoints = data_of(run())
    nodes = shown_nodes(graph, data)
    forward = [i for phase, i in data["stops"] if phase == "forward"]
    back = [i for phase, i in data["stops"] if phase == "backward"]
    assert [data["stops"][0][0], data["stops"][-1][0]] == ["given", "done"]
    assert forward == sorted(forward)
    assert {nodes[i] for i in forward} == {n for n in nodes if n.parents}
    assert back == sorted(back, reverse=True)
    assert {nodes[i] for i in back} == {n for n in nodes if n.parents and n in adjoints}
    assert nodes[back[0]] in graph.outputs


def test_everything_has_its_place_in_the_drawing():
    data, graph, _ = data_of(run())
    picture = draw(graph).picture
    boxes, arrows = set(), set()
    for node in data["nodes"]:
        assert node["boxes"] or node["kind"] == "parameter"
        boxes |= set(node["boxes"]) | {e["chip"] for e in node["edges"] if e["chip"]}
        arrows |= set(node["inner"])
        for edge in node["edges"]:
            assert edge["arrows"]
            arrows |= set(edge["arrows"])
    numbers_in_code = sum(box.kind == "constant" for box in picture.boxes)
    assert len(boxes) == len(picture.boxes) - numbers_in_code
    assert arrows == {f"e{i}" for i in range(1, len(picture.arrows) + 1)}


def truncated():
    rng = np.random.default_rng(0)
    outputs = unroll(LSTMCell(2, 3, rng=0), rng.normal(size=(6, 2)), truncate=2).outputs
    return sequence_loss(mse_loss, outputs, rng.normal(size=(6, 3)))


def test_what_is_cut_has_the_box_and_its_cut_has_none():
    data, _, _ = data_of(truncated())
    boxes = [box for node in data["nodes"] for box in node["boxes"]]
    assert len(boxes) == len(set(boxes))
    without = [node for node in data["nodes"] if not node["boxes"]]
    assert [(node["step"], node["where"].split()[0]) for node in without] == [
        (t, "stop_gradient") for t in (3, 3, 5, 5)
    ]


@pytest.mark.parametrize("composition", ["fused", "per_gate"])
def test_the_terms_of_a_parameter_come_when_the_sweep_finds_them_and_add_up(composition):
    data, graph, adjoints = data_of(run(composition=composition))
    nodes = shown_nodes(graph, data)
    assert {nodes[p["node"]] for p in data["parameters"]} == set(graph.parameters)
    for parameter in data["parameters"]:
        W = nodes[parameter["node"]]
        terms = adjoints.by_step(W)
        parts = parameter["parts"]
        assert [part["step"] for part in parts] == sorted(terms, reverse=True)  # from the last t on
        stops = [part["stop"] for part in parts]
        assert stops == sorted(stops)
        users = {W}
        for node in graph:  # what is made of W once, before the loop
            if node.step is None and any(p in users for p in node.parents):
                users.add(node)
        for part in parts:
            uses = [
                data["stops"].index(["backward", i])
                for i, node in enumerate(nodes)
                if node.step == part["step"] and any(p in users for p in node.parents)
            ]
            assert part["stop"] == max(uses)
            assert len(uses) == (
                4 if composition == "per_gate" and W.name[0] in "Wb" and W.name != "b_y" else 1
            )
            phase, i = data["stops"][part["stop"]]
            assert phase == "backward" and nodes[i].step == part["step"]
            assert part["term"]["norm"] == pytest.approx(np.linalg.norm(terms[part["step"]]), 1e-4)
        assert parts[-1]["sum"]["norm"] == pytest.approx(np.linalg.norm(adjoints[W]), 1e-4)
        if W.size <= FULL:
            np.testing.assert_allclose(full(parts[-1]["sum"]), adjoints[W], rtol=1e-4, atol=1e-9)


def test_a_term_is_complete_when_the_last_of_its_uses_has_come():
    w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name="h")
    for _, x in steps([Tensor(1.0, name="x"), Tensor(2.0, name="x")]):
        h = (exp(w * x) + w * h).named("h")  # w x is the older use: the sweep meets it last
    data, graph, _ = data_of(h)
    nodes = shown_nodes(graph, data)
    (parameter,) = data["parameters"]
    for part in parameter["parts"]:
        _, i = data["stops"][part["stop"]]
        assert nodes[i].op.name == "mul" and nodes[i].parents[1].name == "x"


def test_formulas_are_written_in_the_graphs_own_letters():
    data, _, _ = data_of(run(RNNCell))
    by_name = {node["plain"]: node for node in data["nodes"]}
    assert by_name["a at t = 3"]["whole"] == (
        "= <i>x</i><sub>3</sub> <i>W</i><sub>ih</sub>ᵀ + "
        "<i>h</i><sub>2</sub> <i>W</i><sub>hh</sub>ᵀ + <i>b</i>"
    )
    h = by_name["h at t = 3"]
    assert "whole" not in h
    assert h["equation"] == "<i>h</i><sub>3</sub> = tanh(<i>a</i><sub>3</sub>)"
    (edge,) = h["edges"]
    assert (
        edge["chain"] == "∂<i>L</i>/∂<i>h</i><sub>3</sub> ⊙ (1 - <i>h</i><sub>3</sub><sup>2</sup>)"
    )
    assert edge["local"] == (
        "∂<i>h</i><sub>3</sub>/∂<i>a</i><sub>3</sub> = 1 - <i>h</i><sub>3</sub><sup>2</sup>"
    )
    recurrent = next(
        edge
        for node in data["nodes"]
        for edge in node["edges"]
        if node["step"] == 3 and edge["name"] == "<i>h</i><sub>2</sub>" and edge["part"]
    )
    assert recurrent["local"].endswith("= <i>W</i><sub>hh</sub>")


def test_large_arrays_become_maps_of_block_means():
    array = np.arange(100 * 7.0).reshape(100, 7)
    shown = numbers(array)
    assert "full" not in shown and shown["shape"] == [100, 7]
    levels = np.frombuffer(b64decode(shown["map"]), np.int8).reshape(-1, shown["width"])
    assert levels.shape == (CELLS, 7)
    blocks = levels / 127 * shown["top"]
    np.testing.assert_allclose(blocks[0], array[:4].mean(axis=0), atol=shown["top"] / 254)
    assert (shown["min"], shown["max"], shown["mean"]) == (0, 699, 349.5)
    assert shown["norm"] == pytest.approx(np.linalg.norm(array), rel=1e-5)
    assert numbers(np.array([[np.nan, -np.inf, 1e-300]]))["full"] == [["nan", "-inf", 1e-300]]
    json.dumps(numbers(np.array(np.nan)), allow_nan=False)


def test_what_is_no_number_has_a_color_of_its_own():
    array = np.full((10, 10), 2.0)
    array[0, :3] = np.nan, np.inf, -np.inf
    with np.errstate(all="ignore"):
        levels = np.frombuffer(b64decode(numbers(array)["map"]), np.int8)
    assert levels[:4].tolist() == [-128, 127, -127, 127]


def test_each_array_is_in_the_page_once():
    data, _, _ = data_of(run(RNNCell))
    page = each_array_once(data)
    assert len({json.dumps(array) for array in page["arrays"]}) == len(page["arrays"])
    for node, told in zip(data["nodes"], page["nodes"], strict=True):
        assert page["arrays"][told["value"]] == node["value"]
        assert (told["adjoint"] is None) == (node["adjoint"] is None)
    assert len(page["arrays"]) < 0.7 * json.dumps(data).count('"norm"')


@pytest.mark.parametrize("kind", [LSTMCell, GRUCell])
def test_the_page_of_a_batch_and_a_wider_cell_is_small_too(kind, tmp_path):
    path = stepper(run(kind, length=8, hidden=32, batch=(16,)), tmp_path / "page.html")
    assert path.stat().st_size < 1_000_000


def test_the_file_is_one_and_small_and_asks_for_nothing(tmp_path):
    path = stepper(run(length=8), tmp_path / "page.html", title="An <LSTM> & its gradient")
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    assert "<h1>An &lt;LSTM&gt; &amp; its gradient</h1>" in text
    assert not re.search(r'(src|href)\s*=\s*"(?!#)', text.replace('xlink:href="#', ""))
    assert set(re.findall(r"https?://[\w./]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    once = path.read_bytes()
    assert stepper(run(length=8), path, title="An <LSTM> & its gradient").read_bytes() == once


def test_a_folder_that_is_missing_is_made(tmp_path):
    assert stepper(run(RNNCell, length=2), tmp_path / "new" / "page.html").is_file()


def test_what_cannot_be_stepped_through_is_said(tmp_path, monkeypatch):
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    with pytest.raises(GradientError, match="has shape"):
        stepper(w * 2, tmp_path / "page.html")
    with pytest.raises(GradientError, match="does not depend on any leaf"):
        stepper(Tensor(1.0) * 2, tmp_path / "page.html")
    monkeypatch.setattr("microgrrepresent.drawing.page.stepper_page.LARGEST", 3)
    with pytest.raises(DrawingError, match="take fewer time steps"):
        stepper((w * 2 + 1).sum(), tmp_path / "page.html")
    for path in (tmp_path, tmp_path / "page.svg", tmp_path / "page"):
        with pytest.raises(DrawingError, match=r"a path that ends in \.html, got"):
            stepper(w.sum(), path)
    with pytest.raises(TypeError, match=r"stepper: the loss must be a Tensor.*got float"):
        stepper(3.0, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_adjoints_of_another_loss_are_refused(tmp_path):
    w, path = Tensor([1.0, 2.0], requires_grad=True, name="w"), tmp_path / "page.html"
    loss = (w * w).sum()
    for others in (backward((3 * w * w).sum()), backward(loss, 3.0)):
        with pytest.raises(GradientError, match="not those of backward\\(loss\\)"):
            stepper(loss, path, adjoints=others)
    with pytest.raises(TypeError, match=r"adjoints is the result of backward.* got dict"):
        stepper(loss, path, adjoints={})
    with pytest.raises(GradientError, match="keep='all'"):
        stepper(loss, path, adjoints=backward(loss, keep="nodes"))
    own = stepper(loss, path, adjoints=backward(loss)).read_bytes()
    assert stepper(loss, path).read_bytes() == own


def test_norms_of_tiny_gradients_are_no_zeros():
    assert numbers(np.array([3e-180, 4e-180]))["norm"] == 5e-180
    assert numbers(np.array([3e180, 4e180]))["norm"] == 5e180


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def opened(open_page, tmp_path):
    """Open the page of a loss."""
    number = count()

    def write_and_open(loss, width=1280, height=900, **how):
        path = stepper(loss, tmp_path / f"page{next(number)}.html")
        return open_page(path, width, height, **how)

    return write_and_open


NUMBERS = """(card) => [...document.querySelectorAll(card + " .row, " + card + " .matrix")].map(
    (m) => [...m.querySelectorAll("span, td")].map((c) => [c.textContent, c.title]))"""


def read(page, card):
    """The arrays that a card shows: as written, and in full from the cells' titles."""
    written = lambda text: float(text.replace("−", "-").replace("∞", "inf"))  # noqa: E731
    return [
        ([written(text) for text, _ in cells], [float(title) for _, title in cells])
        for cells in page.evaluate(NUMBERS, card)
    ]


def assert_shown(found, expected):
    assert len(found) == len(expected)
    for (written, exact), array in zip(found, expected, strict=True):
        flat = np.asarray(array, float).ravel()
        np.testing.assert_allclose(exact, flat, rtol=1e-5, atol=1e-300)
        np.testing.assert_allclose(written, flat, rtol=6e-3, atol=1e-300)


def so_far(graph, adjoints, parent, child):
    """What has arrived of a gradient with the child's contribution; None if that is all of it."""
    if parent.op is None or parent not in adjoints:
        return None
    users = [c for c in dict.fromkeys(graph.consumers(parent)) if c in adjoints]
    came = [
        [adjoints.along(c, j) for j, p in enumerate(c.parents) if p is parent]
        for c in users
        if c.id >= child.id
    ]
    return None if len(came) == len(users) else sum(sum(parts) for parts in came)


@pytest.mark.browser
@pytest.mark.parametrize("kind", [RNNCell, LSTMCell])
def test_the_whole_run_shows_the_engines_numbers(opened, kind):
    loss = run(kind)
    data, graph, adjoints = data_of(loss)
    nodes, stops = shown_nodes(graph, data), data["stops"]
    page = opened(loss)
    known = set(nodes)
    checked = set(np.linspace(1, len(stops) - 2, 10).round().astype(int).tolist())
    assert len(checked) == 10
    for k in range(1, len(stops)):
        page.keyboard.press("ArrowRight")
        if k not in checked:
            continue
        phase, i = stops[k]
        node = nodes[i]
        assert page.inner_text("#counter") == f"stop {k} of {len(stops) - 1}"
        lit = page.evaluate("[...document.querySelectorAll('.node.lit')].map((n) => n.id)")
        chips = {edge["chip"] for edge in data["nodes"][i]["edges"] if edge["chip"]}
        assert set(lit) == set(data["nodes"][i]["boxes"]) | chips
        small = lambda array: array.size <= FULL  # noqa: E731
        if phase == "forward":
            assert_shown(read(page, "#now"), [node.value])
            inputs = [p.value for p in node.parents if p in known and small(p)]
            assert_shown(read(page, "#along"), inputs)
        else:
            assert_shown(read(page, "#now"), [adjoints[node], node.value])
            sent = []
            for j, parent in enumerate(node.parents):
                sent += [adjoints.along(node, j), so_far(graph, adjoints, parent, node)]
            sums = [
                sum(g for t, g in adjoints.by_step(nodes[p["node"]]).items() if t >= part["step"])
                for p in data["parameters"]
                for part in p["parts"]
                if part["stop"] == k
            ]
            expected = [g for g in [*(g for g in sent if g is not None), *sums] if small(g)]
            assert_shown(read(page, "#along"), expected)
    assert page.inner_text("#now .tag") == "Done"
    gradients = [adjoints[nodes[p["node"]]] for p in data["parameters"]]
    assert_shown(read(page, "#along"), [g for g in gradients if g.size <= FULL])
    assert page.is_disabled("#next")
    page.keyboard.press("Home")
    assert page.is_disabled("#previous") and page.inner_text("#now .tag") == "Given"


@pytest.mark.browser
def test_keys_slider_and_buttons_move(opened):
    loss = run(RNNCell)
    data, _, _ = data_of(loss)
    stops = data["stops"]
    turn = next(k for k, (phase, _) in enumerate(stops) if phase == "backward")
    page = opened(loss)
    at = lambda: int(re.findall(r"\d+", page.inner_text("#counter"))[0])  # noqa: E731
    page.keyboard.press("l")
    assert at() == turn and "Backward" in page.inner_text("#now .tag")
    assert page.evaluate("document.body.classList.contains('back')")
    page.keyboard.press("ArrowLeft")
    assert at() == turn - 1 and "Forward" in page.inner_text("#now .tag")
    page.keyboard.press("PageUp")
    step = lambda k: data["nodes"][stops[k][1]]["step"]  # noqa: E731
    assert step(at()) != step(turn - 1)
    page.evaluate(
        "s = document.getElementById('slider'); s.value = 7; s.dispatchEvent(new Event('input'))"
    )
    assert at() == 7
    page.click("#next")
    page.click("#last")
    assert at() == len(stops) - 1
    page.click("#first")
    page.select_option("#speed", "150")
    page.keyboard.press("Space")
    page.locator("#counter", has_text=re.compile(r"stop ([3-9]|\d\d)")).wait_for()
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"
    here = at()
    page.wait_for_timeout(400)
    assert at() == here


@pytest.mark.browser
def test_a_node_tells_its_history(opened):
    loss = run(RNNCell)
    data, graph, adjoints = data_of(loss)
    nodes = shown_nodes(graph, data)
    i = next(i for i, n in enumerate(nodes) if n.name == "h" and n.step == 2)
    page = opened(loss)
    assert page.is_hidden("#history")
    page.keyboard.press("End")
    page.select_option("#zoom", "fit")
    page.click(f"#{data['nodes'][i]['boxes'][0]}")
    came = [
        adjoints.along(child, j)
        for child in graph.consumers(nodes[i])
        for j, parent in enumerate(child.parents)
        if parent is nodes[i]
    ]
    assert len(came) == 2  # from the loss at t = 2, and from the step after
    assert_shown(read(page, "#history"), [nodes[i].value, adjoints[nodes[i]], *came])
    np.testing.assert_allclose(came[0] + came[1], adjoints[nodes[i]])
    page.click("text=go to its forward stop")
    assert stops_at(page) == data["stops"].index(["forward", i])
    assert "not yet at this stop" in page.inner_text("#history")
    page.keyboard.press("Escape")
    assert page.is_hidden("#history")
    page.select_option("#pick", str(i))
    assert page.is_visible("#history")


@pytest.mark.browser
@pytest.mark.parametrize("hidden", [3, 40])
def test_a_gradient_of_which_a_part_has_come_is_partly_known(opened, hidden):
    loss = run(RNNCell, hidden=hidden)
    data, graph, adjoints = data_of(loss)
    nodes = shown_nodes(graph, data)
    i = next(i for i, n in enumerate(nodes) if n.name == "h" and n.step == 2)
    first, last = sorted(
        (k, nodes[j])
        for k, (phase, j) in enumerate(data["stops"])
        if phase == "backward" and any(p is nodes[i] for p in nodes[j].parents)
    )
    page = opened(loss)
    page.select_option("#pick", str(i))
    marks = f"document.getElementById('{data['nodes'][i]['boxes'][0]}').classList"
    shown = f"['partly', 'swept'].filter((name) => {marks}.contains(name))"
    for k, expected, words in (
        (first[0] - 1, [], "not yet at this stop"),
        (first[0], ["partly"], "partly: the sum so far of 1 of 2 contributions"),
        (last[0], ["swept"], "the sum of 2 contributions"),
    ):
        page.evaluate(f"stepper.go({k})")
        assert page.evaluate(shown) == expected
        assert words in page.inner_text("#history")
    page.evaluate(f"stepper.go({first[0]})")
    assert "partly: 1 of 2 contributions so far" in page.inner_text("#along")
    if hidden == 3:
        place = next(j for j, p in enumerate(first[1].parents) if p is nodes[i])
        come = adjoints.along(first[1], place)
        assert_shown(read(page, "#history")[:2], [nodes[i].value, come])


def stops_at(page):
    return int(re.findall(r"\d+", page.inner_text("#counter"))[0])


@pytest.mark.browser
def test_edges_light_up_and_gradients_flow_back_along_them(opened):
    loss = run(RNNCell)
    data, _, _ = data_of(loss)
    page = opened(loss)
    k = next(
        k
        for k, (phase, i) in enumerate(data["stops"])
        if phase == "backward" and data["nodes"][i]["plain"] == "h at t = 3"
    )
    node = data["nodes"][data["stops"][k][1]]
    page.evaluate(f"stepper.go({k})")
    flowing = page.evaluate(
        "[...document.querySelectorAll('.backflow.lit')].map((p) => p.parentNode.id)"
    )
    assert set(flowing) == {a for e in node["edges"] for a in e["arrows"]} | set(node["inner"])
    page.evaluate("stepper.go(0)")
    flows = page.evaluate("[...document.querySelectorAll('.backflow')].map((p) => p.style.display)")
    assert set(flows) == {"none"}
    waiting = page.evaluate("document.querySelectorAll('.node.waiting').length")
    assert waiting == sum(len(n["boxes"]) for n in data["nodes"] if n["edges"])


@pytest.mark.browser
def test_at_a_cut_the_state_that_is_cut_lights_up(opened):
    loss = truncated()
    data, _, _ = data_of(loss)
    page = opened(loss)
    nodes = data["nodes"]
    i = next(i for i, node in enumerate(nodes) if node["where"] == "stop_gradient at t=3")
    state = nodes[nodes[i]["edges"][0]["parent"]]
    page.evaluate(f"stepper.go({data['stops'].index(['forward', i])})")
    lit = page.evaluate("[...document.querySelectorAll('.node.lit')].map((n) => n.id)")
    assert lit == state["boxes"] and "cut" in page.inner_text("#now")
    page.keyboard.press("End")
    classes = f"[...document.getElementById('{state['boxes'][0]}').classList]"
    assert "swept" in page.evaluate(classes)


@pytest.mark.browser
def test_the_title_of_a_step_stands_inside_of_it(opened):
    page = opened(run(RNNCell))
    inside = """[...document.querySelectorAll('#drawing .cluster')].map((c) => {
        const [frame, title] = ["rect", "text"].map((tag) => c.querySelector(tag).getBBox());
        return frame.x < title.x && title.x + title.width < frame.x + frame.width; })"""
    found = page.evaluate(inside)
    assert len(found) == T and all(found)


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 800, 1280])
def test_the_page_fits_any_window(opened, width):
    page = opened(run(), width=width, height=860)
    for stop in (0, 40, 10_000):
        page.evaluate(f"stepper.go({stop})")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#drawing").bounding_box()
    assert box["height"] > 250 and box["width"] > 0.9 * width


@pytest.mark.browser
def test_readers_and_eyes_of_all_kinds(opened):
    page = opened(run(GRUCell), color_scheme="dark")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(16, 21, 28)"
    )
    page.click("#theme")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    names = page.evaluate(
        "[...document.querySelectorAll('button, input, select')]"
        ".map((b) => b.ariaLabel || b.textContent.trim() || b.labels[0].textContent)"
    )
    assert all(names)
    page.keyboard.press("ArrowRight")
    spoken = page.inner_text("#spoken")
    assert re.match(r"Forward(, t = \d)?: .+ is computed\. Norm [\d.e−]+\.", spoken)
    assert page.get_attribute("#slider", "aria-valuetext") == spoken
    assert page.get_attribute("#drawing svg", "role") == "img"


@pytest.mark.browser
def test_large_arrays_are_heat_maps_and_bad_numbers_are_shown(opened):
    page = opened(run(RNNCell, hidden=10, batch=(5,)))
    page.keyboard.press("End")
    maps = page.evaluate("[...document.querySelectorAll('#along canvas')].map((c) => c.ariaLabel)")
    assert any(re.search(r"W_hh: heat map of 10 × 10 numbers, min −?[\d.]+", name) for name in maps)
    canvas = "document.querySelector('#along canvas').getContext('2d')"
    painted = page.evaluate(f"[...{canvas}.getImageData(0, 0, 9, 9).data]")
    assert len(set(painted)) > 20
    with np.errstate(all="ignore"):
        w = Tensor([0.0, 1000.0], requires_grad=True, name="w")
        page = opened((log(w) + exp(w)).sum())
    page.evaluate("stepper.go(2)")
    assert "∞" in page.inner_text("#now")


@pytest.mark.browser
def test_what_is_no_number_looks_like_none_and_minus_infinity_is_negative(opened):
    with np.errstate(all="ignore"):
        w = Tensor([0.0, -1.0, 5.0, 9.0], requires_grad=True, name="w")
        page = opened(log(w).named("u").sum())
    page.evaluate("stepper.go(1)")
    cells = page.evaluate(
        "[...document.querySelectorAll('#now .row span')].map((c) => [c.title, c.className,"
        " getComputedStyle(c).backgroundColor.match(/[0-9.]+/g).slice(0, 3).join()])"
    )
    (minus, _, blue), (nan, marked, _), (_, _, orange), _ = cells
    assert (minus, nan, marked) == ("-inf", "nan", "nan")
    assert (blue, orange) == ("0,114,178", "213,94,0")


@pytest.mark.browser
def test_on_paper_bars_and_whole_numbers_remain(opened):
    W = Tensor(np.linspace(-1e-3, 1, 32).reshape(2, 16), requires_grad=True, name="W")
    h = Tensor(np.zeros(2), name="h")
    for _, x in steps(np.ones((3, 16))):
        h = (h * 0.5 + W @ x).named("h")
    page = opened((h * h).sum(), width=700)
    page.keyboard.press("End")
    page.emulate_media(media="print")
    bar = "getComputedStyle(document.querySelector('.bar i'))"
    assert page.evaluate(f"{bar}.printColorAdjust || {bar}.webkitPrintColorAdjust") == "exact"
    overflowing = """[...document.querySelectorAll('.matrix')].filter((m) => m.clientWidth &&
        m.scrollWidth > m.parentElement.clientWidth + 1).length"""
    assert page.evaluate("document.querySelectorAll('#along .matrix').length") == 1
    assert page.evaluate(overflowing) == 0
    assert page.evaluate(
        "getComputedStyle(document.querySelector('#along .matrix')).overflowX"
    ) == ("visible")


@pytest.mark.browser
def test_a_graph_without_time_has_no_words_of_it(opened):
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    page = opened((w * w).sum())
    for stop in range(5):
        page.evaluate(f"stepper.go({stop})")
        words = " ".join(page.locator(".ends, .card, h1").all_inner_texts())
        assert "Gradients so far" in words and not re.search(r"time step|through time|Σ.*…", words)
    page.keyboard.press("Home")
    assert page.inner_text("#along-title") == "What is given"
    assert page.locator(".bars").count() == 0


@pytest.mark.browser
def test_the_bars_of_many_steps_stay_in_their_card(opened):
    h, w = Tensor(1.0, name="h"), Tensor(0.99, requires_grad=True, name="w")
    for _ in steps(range(300)):
        h = (w * h).named("h")
    page = opened(h * 1)
    page.keyboard.press("End")
    wide = "(q) => { const e = document.querySelector(q); return e.scrollWidth - e.clientWidth; }"
    assert page.evaluate(wide, ".bars") <= 0 and page.evaluate(wide, "#sums") <= 0
