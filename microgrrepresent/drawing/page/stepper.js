"use strict";
/* The stepper. Everything it shows was computed by the engine and stands in the page's data:
   nodes in the order of the forward pass, and stops, each [phase, node]. A node's value is known
   from its forward stop on; what it sends to its parents, from its backward stop on. */
(function () {
  const { arrays, nodes, stops, parameters } = JSON.parse(document.getElementById("data").textContent);
  const { text, element, matrix, sumOf } = shown;
  const get = (id) => document.getElementById(id);
  const svg = document.querySelector("#drawing svg");
  const turn = stops.findIndex(([phase]) => phase === "backward");
  const opened = new Set(), timed = nodes.some((node) => node.step !== null);
  let now = 0, playing = null, chosen = null;

  // --- what the data implies ------------------------------------------------------------------

  const resolve = (holder, ...names) => {  // each array is in the data once; elsewhere stands its index
    for (const name of names) holder[name] = holder[name] === null ? null : arrays[holder[name]];
  };
  for (const node of nodes) {
    resolve(node, "value", "adjoint");
    for (const edge of node.edges) resolve(edge, "part");
    Object.assign(node, { forward: 0, backward: Infinity, uses: [] });
  }
  for (const { parts } of parameters) for (const part of parts) resolve(part, "term", "sum");
  stops.forEach(([phase, i], k) => { if (i >= 0) nodes[i][phase] = k; });
  nodes.forEach((node) => node.edges.forEach((edge) => {
    edge.child = node;
    if (edge.parent >= 0) nodes[edge.parent].uses.push(edge);
  }));
  for (const node of nodes) node.uses = node.uses.filter((edge) => edge.part);
  const arrived = (node) => node.uses.filter((edge) => edge.child.backward <= now);
  const known = (node) => node.adjoint && (node.uses.length ? arrived(node).length === node.uses.length : node.backward <= now);
  const parts = nodes.flatMap((node) => node.edges).filter((edge) => edge.part);
  const logs = parts.map((edge) => Math.log10(edge.part.norm)).filter(Number.isFinite);
  const low = Math.max(Math.min(...logs), Math.max(...logs) - 6), high = Math.max(...logs);
  const strength = (norm) => {
    const level = (Math.log10(norm) - low) / (high - low || 1);
    return Number.isFinite(level) ? Math.min(1, Math.max(0, level)) : 0;
  };

  // --- the drawing ----------------------------------------------------------------------------

  const arrow = (id) => {
    const group = get(id);
    return group && { group, path: group.querySelector("path"), back: null };
  };
  const arrows = new Map();
  for (const edge of nodes.flatMap((node) => node.edges)) {
    for (const id of edge.arrows) if (!arrows.has(id)) arrows.set(id, arrow(id));
  }
  for (const node of nodes) {
    for (const id of node.inner) if (!arrows.has(id)) arrows.set(id, arrow(id));
  }
  svg.insertAdjacentHTML("afterbegin",
    '<defs><marker id="backhead" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="9" markerHeight="9"' +
    ' markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="backhead" d="M0,0 L8,4 L0,8 z"/></marker></defs>');
  const chips = nodes.flatMap((node) => node.edges).filter((edge) => edge.chip);
  nodes.forEach((node, i) => [...node.boxes, ...chips.filter((e) => e.parent === i).map((e) => e.chip)].forEach((id) => {
    const group = get(id);
    if (!group) return;
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", `${node.plain}: its history`);
    group.addEventListener("click", () => choose(i));
  }));

  function backflow(shown) {
    if (!shown.back) {
      shown.back = shown.path.cloneNode();
      shown.back.removeAttribute("stroke");
      shown.back.setAttribute("marker-start", "url(#backhead)");
      shown.group.append(shown.back);
    }
    return shown.back;
  }

  function mark(target, classes) {
    for (const name of ["waiting", "lit", "back", "partly", "swept", "chosen"]) {
      target.classList.toggle(name, classes.includes(name));
    }
  }

  function stand() {  // the node to light up: what is cut stands for its cut, which has no box
    const current = stops[now][1], node = nodes[current];
    return node && !node.boxes.length && node.edges.length ? node.edges[0].parent : current;
  }

  function draw() {
    const [phase, made] = stops[now], current = stand();
    nodes.forEach((node, i) => {
      const classes = [];
      if (now < node.forward) classes.push("waiting");
      if (i === current) classes.push("lit");
      if (i === current && phase === "backward") classes.push("back");
      if (known(node)) classes.push("swept");
      else if (arrived(node).length) classes.push("partly");
      if (i === chosen) classes.push("chosen");
      for (const id of node.boxes) mark(get(id), classes);
      for (const id of node.inner) flow(arrows.get(id), node, null, i === made, phase);
    });
    for (const node of nodes) for (const edge of node.edges) {
      const lit = node === nodes[made];
      for (const id of edge.arrows) flow(arrows.get(id), node, edge, lit, phase);
      if (edge.chip) {
        const classes = [];
        if (edge.part && node.backward <= now) classes.push("swept");
        if (lit) classes.push("lit", ...(phase === "backward" ? ["back"] : []));
        if (edge.parent === chosen) classes.push("chosen");
        mark(get(edge.chip), classes);
      }
    }
  }

  function flow(shown, node, edge, lit, phase) {
    if (!shown) return;
    const forth = lit && phase === "forward", back = edge ? edge.part && node.backward <= now : node.backward <= now;
    shown.group.classList.toggle("waiting", now < node.forward);
    shown.group.classList.toggle("lit", forth);
    if (back) {
      const path = backflow(shown), norm = edge ? edge.part.norm : node.adjoint.norm;
      path.setAttribute("class", lit && phase === "backward" ? "backflow lit" : "backflow");
      path.setAttribute("stroke-width", (1.4 + 3.2 * strength(norm) + (lit && phase === "backward" ? 1 : 0)).toFixed(2));
      path.style.display = "";
    } else if (shown.back) {
      shown.back.style.display = "none";
    }
  }

  const natural = svg.viewBox.baseVal;
  function zoom() {
    const frame = get("drawing"), choice = get("zoom").value;
    let scale = Number(choice) * (4 / 3);
    if (choice === "fit") {
      scale = Math.min((frame.clientWidth - 4) / natural.width, (frame.clientHeight - 4) / natural.height);
    }
    svg.style.width = `${natural.width * scale}px`;
    svg.style.height = `${natural.height * scale}px`;
    follow(false);
  }

  function follow(smoothly) {
    const current = stand(), frame = get("drawing");
    const first = current < 0 ? null : get(nodes[current].boxes[0]);
    if (!first) {
      frame.scrollTo({ left: now ? frame.scrollWidth : 0, top: frame.scrollHeight });
      return;
    }
    const box = first.getBoundingClientRect(), outer = frame.getBoundingClientRect();
    const still = !smoothly || matchMedia("(prefers-reduced-motion: reduce)").matches;
    frame.scrollBy({
      left: box.left + box.width / 2 - outer.left - outer.width / 2,
      top: box.top + box.height / 2 - outer.top - outer.height / 2,
      behavior: still ? "auto" : "smooth",
    });
  }

  // --- the cards ------------------------------------------------------------------------------

  const fill = (id, ...children) => get(id).lastElementChild.replaceChildren(...children);
  const what = (html) => element("div", { class: "what", html });
  const formula = (html, small) => element("div", { class: small ? "formula small" : "formula", html });
  const equation = (node) => element("div", {}, formula(node.equation || node.name),
    ...(node.whole ? [formula(node.whole, true)] : []));
  const gradient = (node) => `∂<i>L</i>/∂${node.name}`;

  function describe() {
    const [phase, i] = stops[now], node = nodes[i];
    const place = node && node.step !== null ? `t = ${node.step}` : "";
    get("along-title").textContent = { given: "What is given", done: "The gradients" }[phase] ?? "Along its edges";
    const head = (words, back) => element("div", {},
      element("span", { class: back ? "tag back" : "tag" }, words), element("span", { class: "place" }, node ? node.where : ""));
    if (phase === "given") {
      const leaves = nodes.filter((n) => !n.edges.length);
      fill("now", head("Given", false), what("inputs, initial states and parameters; nothing is computed yet"));
      fill("along", ...leaves.filter((n) => n.kind !== "parameter").map((n) =>
        element("div", { class: "item" }, formula(n.name, true), matrix(n.value, n.plain))));
      return "Start: inputs and parameters are given.";
    }
    if (phase === "done") {
      const found = parameters.map(({ node: p }) => nodes[p]);
      fill("now", head("Done", true), what(`Every parameter has its gradient${timed ? ": the sum of its terms over all time steps" : ""}.`));
      fill("along", ...found.map((p) => element("div", { class: "item" },
        formula(gradient(p), true), matrix(p.adjoint, `gradient of ${p.plain}`))));
      return "End: all gradients are complete.";
    }
    if (phase === "forward") {
      fill("now", head(place ? `Forward, ${place}` : "Forward", false), equation(node),
        what(`its value <b>${node.name}</b>`), matrix(node.value, node.plain));
      fill("along", ...node.edges.map((edge) => {
        const parts = [what(`takes <b>${edge.name}</b>`)];
        if (edge.parent >= 0) parts.push(matrix(nodes[edge.parent].value, nodes[edge.parent].plain));
        if (edge.local) parts.push(what("local derivative"), formula(edge.local, true));
        return element("div", { class: "item" }, ...parts);
      }));
      return `Forward${place ? ", " + place : ""}: ${node.plain} is computed. Norm ${text(node.value.norm)}.`;
    }
    const from = node.uses;
    const sum = from.length > 1
      ? `the sum of ${from.length} contributions, from ${[...new Set(from.map((e) => e.child.name))].join(" and ")}`
      : from.length ? `came from ${from[0].child.name}` : "the sweep begins: the derivative of the loss by itself";
    fill("now", head(place ? `Backward, ${place}` : "Backward", true), equation(node),
      what(`its gradient <b>${gradient(node)}</b>: ${sum}`), matrix(node.adjoint, `gradient of ${node.plain}`),
      what(`its value <b>${node.name}</b>`), matrix(node.value, node.plain));
    const sent = node.edges.filter((edge) => edge.part);
    const grown = parameters.flatMap((parameter) => parameter.parts.map((part, k) =>
      ({ part, node: nodes[parameter.node], words: `${k + 1} of ${parameter.parts.length} terms` }))).filter(({ part }) => part.stop === now);
    fill("along", ...sent.map((edge) => element("div", { class: "item" },
      what(`sends to <b>${edge.name}</b>`), formula(edge.chain, true), matrix(edge.part, `to ${edge.parent >= 0 ? nodes[edge.parent].plain : ""}`),
      ...soFar(nodes[edge.parent]),
      what("local derivative"), formula(edge.local, true))),
    ...grown.map(({ part, node: parameter, words }) => element("div", { class: "item" },
      what(`<b>${gradient(parameter)}</b> so far, ${words}`), matrix(part.sum, `running sum of the gradient of ${parameter.plain}`))));
    return `Backward${place ? ", " + place : ""}: ${node.plain} has its gradient, norm ${text(node.adjoint.norm)}, and sends it to ${sent.length} ${sent.length === 1 ? "input" : "inputs"}.`;
  }

  function soFar(node) {  // what has arrived of a gradient that is not complete; a parameter's stands by time step
    const came = node && node.kind !== "parameter" ? arrived(node) : [];
    if (!came.length || known(node)) return [];
    came.sort((a, b) => a.child.backward - b.child.backward);
    return [what(`<b>${gradient(node)}</b> partly: ${came.length} of ${node.uses.length} contributions so far`),
      matrix(sumOf(came), `gradient of ${node.plain} so far`)];
  }

  function sums() {
    fill("sums", ...parameters.map((parameter) => {
      const node = nodes[parameter.node], top = Math.max(...parameter.parts.map((p) => p.term.norm), 1e-300);
      const known = parameter.parts.filter((part) => part.stop <= now), last = known[known.length - 1];
      const inTime = [...parameter.parts].sort((a, b) => (a.step ?? Infinity) - (b.step ?? Infinity));
      const sparse = Math.ceil(inTime.length / 16), many = sparse > 4 ? " many" : "";
      const bars = element("div", { class: "bars" + many, role: "img",
        "aria-label": `Norms of the terms of the gradient of ${node.plain} by time step: ` +
          inTime.map((p) => `${p.step ?? "outside"} ${p.stop <= now ? text(p.term.norm) : "not yet"}`).join(", ") });
      const axis = element("div", { class: "axis" + many, "aria-hidden": "true" });
      inTime.forEach((part, index) => {
        const state = part.stop > now ? "bar coming" : part.stop === now ? "bar just" : "bar";
        const inner = element("i", { style: `height:${part.stop > now ? 12 : Math.max(3, 100 * part.term.norm / top)}%` });
        bars.append(element("div", { class: state, title: part.stop > now ? "not yet" : `t = ${part.step ?? "–"}: ${text(part.term.norm)}` }, inner));
        const label = index % sparse ? "" : String(part.step ?? "–");
        axis.append(element("span", {}, label));
      });
      const body = element("details", {}), sum = inTime.some((part) => part.step !== null) ? " = Σ<sub>t</sub> …" : "";
      const summary = element("summary", { html: `${gradient(node)}${sum}<span class="norm">${last ? "norm so far " + text(last.sum.norm) : "nothing yet"}</span>` });
      body.append(summary);
      body.open = opened.has(parameter.node);
      summary.addEventListener("click", () => body.open ? opened.delete(parameter.node) : opened.add(parameter.node));
      if (last) {
        body.append(what(sum ? `running sum of ${known.length} of ${parameter.parts.length} terms` : "whole"), matrix(last.sum, `running sum of the gradient of ${node.plain}`));
        if (sum) body.append(what(`latest term, ${last.step === null ? "outside of the steps" : "t = " + last.step}`), matrix(last.term, `latest term of ${node.plain}`));
      }
      return element("div", { class: "item" }, body, ...(sum ? [bars, axis] : []));
    }));
  }

  function history() {
    const card = get("history");
    card.hidden = chosen === null;
    get("pick").value = chosen === null ? "" : String(chosen);
    if (chosen === null) return;
    const node = nodes[chosen], jump = (k, words) => {
      const button = element("button", { class: "link" }, words);
      button.addEventListener("click", () => go(k));
      return button;
    };
    const close = element("button", { "aria-label": "Close the history", style: "float:right" }, "×");
    close.addEventListener("click", () => choose(null));
    const came = node.uses;
    const items = [close, equation(node),
      what(`${node.where}${node.edges.length ? " · computed at stop " + node.forward + " " : " · given"}`)];
    if (node.edges.length) items.push(jump(node.forward, "go to its forward stop"));
    items.push(what(`value <b>${node.name}</b>`), matrix(node.value, node.plain));
    if (node.adjoint) {
      const count = `${came.length || 1} ${came.length > 1 ? "contributions" : "contribution"}`;
      if (known(node)) {
        items.push(what(`gradient <b>${gradient(node)}</b>, the sum of ${count}`), matrix(node.adjoint, `gradient of ${node.plain}`));
      } else if (arrived(node).length) {
        items.push(what(`gradient <b>${gradient(node)}</b> partly: the sum so far of ${arrived(node).length} of ${count}`),
          matrix(sumOf(arrived(node)), `gradient of ${node.plain} so far`));
      } else {
        items.push(what(`gradient <b>${gradient(node)}</b>: not yet at this stop; it is the sum of ${count}`));
      }
      if (Number.isFinite(node.backward)) items.push(jump(node.backward, "go to its backward stop"));
      for (const edge of came) {
        const row = element("div", { class: "item" }, what(`from <b>${edge.child.name}</b>: ${edge.chain}`));
        row.append(edge.child.backward <= now ? matrix(edge.part, `from ${edge.child.plain}`) : what("not yet at this stop"),
          jump(edge.child.backward, `go to stop ${edge.child.backward}`));
        items.push(row);
      }
    } else {
      items.push(what("no gradient: no parameter depends on it being differentiated"));
    }
    fill("history", ...items);
  }

  // --- moving ---------------------------------------------------------------------------------

  function go(k, smoothly = true) {
    now = Math.min(stops.length - 1, Math.max(0, k));
    const back = now >= turn;
    document.body.classList.toggle("back", back);
    draw();
    const spoken = describe();
    sums();
    history();
    const slider = get("slider");
    slider.value = String(now);
    slider.setAttribute("aria-valuetext", spoken);
    get("spoken").textContent = playing ? "" : spoken;
    get("counter").textContent = `stop ${now} of ${stops.length - 1}`;
    for (const id of ["first", "previous"]) get(id).disabled = now === 0;
    for (const id of ["next", "last"]) get(id).disabled = now === stops.length - 1;
    follow(smoothly);
    if (now === stops.length - 1) pause();
  }

  function choose(i) {
    chosen = i === chosen ? null : i;
    draw();
    history();
    if (chosen !== null) get("history").scrollIntoView({ block: "nearest" });
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    get("play").textContent = "Play";
    get("play").setAttribute("aria-label", "Play");
  }

  function play() {
    if (playing) return pause();
    if (now === stops.length - 1) go(0);
    playing = setInterval(() => go(now + 1), Number(get("speed").value));
    get("play").textContent = "Pause";
    get("play").setAttribute("aria-label", "Pause");
  }

  function nextStep(direction) {
    const at = (k) => { const [, i] = stops[k]; return i < 0 ? null : nodes[i].step; };
    let k = now;
    while (k + direction >= 0 && k + direction < stops.length) {
      k += direction;
      if (at(k) !== at(now)) break;
    }
    go(k);
  }

  const keys = {
    ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), Home: () => go(0),
    End: () => go(stops.length - 1), PageDown: () => nextStep(1), PageUp: () => nextStep(-1),
    l: () => go(turn), L: () => go(turn), " ": play, Escape: () => chosen !== null && choose(null),
  };
  document.addEventListener("keydown", (event) => {
    const typing = /^(SELECT|TEXTAREA)$/.test(event.target.tagName);
    const pressing = event.key === " " && /^(BUTTON|SUMMARY)$/.test(event.target.tagName);
    if (typing || pressing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  get("cuts").hidden = !nodes.some((node) => node.where.startsWith("stop_gradient"));
  get("slider").max = String(stops.length - 1);
  get("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  const buttons = { first: () => go(0), previous: () => go(now - 1), next: () => go(now + 1),
    last: () => go(stops.length - 1), turn: () => go(turn), play };
  for (const [id, action] of Object.entries(buttons)) get(id).addEventListener("click", action);
  get("zoom").addEventListener("change", zoom);
  get("speed").addEventListener("change", () => { if (playing) { pause(); play(); } });
  get("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  const root = document.documentElement, onScreen = {};
  window.addEventListener("beforeprint", () => { onScreen.theme = root.dataset.theme; root.dataset.theme = "light"; });
  window.addEventListener("afterprint", () => {
    if (onScreen.theme) root.dataset.theme = onScreen.theme; else delete root.dataset.theme;
  });
  get("pick").append(...nodes.map((node, i) => element("option", { value: String(i) }, node.plain)));
  get("pick").addEventListener("change", (event) => {
    chosen = null;
    choose(event.target.value === "" ? null : Number(event.target.value));
  });
  window.addEventListener("resize", zoom);
  const whole = Math.min(get("drawing").clientWidth / natural.width, get("drawing").clientHeight / natural.height);
  get("zoom").value = whole > 0.75 ? "fit" : "0.6";
  zoom();
  go(0, false);
  window.stepper = { go, choose, stops, nodes, parameters };
})();
