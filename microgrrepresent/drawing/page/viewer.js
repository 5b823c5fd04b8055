"use strict";
/* The drawing is scaled by its viewBox, and moved by a translation, for which the browser need not lay
   it out again. A card says of a box what the engine knows: while
   the pointer is over it or the focus is on it, and until Escape after a click or Enter. */
(function () {
  const { arrays, nodes, boxes, arrows } = unpacked(JSON.parse(document.getElementById("data").textContent));
  const { text, element, matrix } = shown;
  const get = (id) => document.getElementById(id);
  const view = get("drawing"), card = get("card"), svg = view.querySelector("svg");
  const whole = { ...box(svg.viewBox.baseVal) };
  const LARGEST = 8, STEP = 60, READABLE = 0.7;  // pixels a point; pixels; pixels a point
  let at = null, laidOut = null, lit = null, kept = null;

  function unpacked({ shapes, arrays, texts, nodes, boxes, more, arrows }) {
    const rows = (flat, width) => width < flat.length  // of an array in full
      ? Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width)) : [flat];
    return {
      arrays: arrays.map(([i, norm, first, width, top, min, mean, max]) => ({ shape: shapes[i], norm,
        ...(Array.isArray(first) ? { full: rows(first, shapes[i].at(-1) ?? 1) } : { map: first, width, top, min, mean, max }) })),
      nodes: nodes.map(([said, step, value, adjoint]) => ({ texts: texts[said], step, value, adjoint })),
      boxes: Object.fromEntries(boxes.map((own, i) => [`b${i + 1}`, { nodes: own, ...more[i + 1] }])),
      arrows: arrows.flatMap((tail, i) => i % 2 ? [] : [[`e${i / 2 + 1}`, `b${tail}`, `b${arrows[i + 1]}`]]),
    };
  }

  function say({ texts, step }, key) {  // a text is the same at every step but for the times in it
    const said = texts[key];
    return Array.isArray(said) ? said.map((piece) => typeof piece === "number" ? step + piece : piece).join("") : said;
  }

  function box({ x, y, width, height }) { return { x, y, width, height }; }

  // --- where one looks: the middle of the window, in points, and pixels a point ------------------

  const size = () => ({ width: view.clientWidth || 1, height: view.clientHeight || 1 });
  const fitting = () => Math.min(size().width / whole.width, size().height / whole.height);

  function look(x, y, scale) {
    scale = Math.min(Math.max(scale, fitting() / 2), LARGEST);
    x = Math.min(Math.max(x, whole.x), whole.x + whole.width);
    y = Math.min(Math.max(y, whole.y), whole.y + whole.height);
    at = { x, y, scale };
    const { width, height } = size(), form = `${scale} ${width} ${height}`;
    if (laidOut?.form !== form) {
      svg.setAttribute("viewBox", `${x - width / scale / 2} ${y - height / scale / 2} ${width / scale} ${height / scale}`);
      laidOut = { x, y, form };
    }
    svg.style.transform = `translate(${(laidOut.x - x) * scale}px, ${(laidOut.y - y) * scale}px)`;
    if (!card.hidden) place();
  }
  const fit = () => look(whole.x + whole.width / 2, whole.y + whole.height / 2, fitting());
  const move = (dx, dy) => look(at.x + dx / at.scale, at.y + dy / at.scale, at.scale);
  function zoom(factor, px = size().width / 2, py = size().height / 2) {  // what is at (px, py) stays there
    const { x, y, scale } = at, { width, height } = size();
    const next = Math.min(Math.max(scale * factor, fitting() / 2), LARGEST), less = 1 / scale - 1 / next;
    look(x + (px - width / 2) * less, y + (py - height / 2) * less, next);
  }
  function begin() {  // all of it if that can be read, else its beginning
    const scale = fitting();
    if (scale >= READABLE) return fit();
    const { width, height } = size(), legible = Math.max(scale, Math.min(READABLE, height / whole.height));
    const x = Math.min(whole.x + width / legible / 2, whole.x + whole.width / 2);
    look(x, Math.max(whole.y + whole.height - height / legible / 2, whole.y + whole.height / 2), legible);
  }

  // --- the card ---------------------------------------------------------------------------------

  const html = (tag, name, content) => element(tag, { class: name, html: content });
  const words = (tag, name, ...content) => element(tag, { class: name }, ...content);
  const brief = (array) => {
    const { shape, norm } = array;
    if (!shape.length) return text(array.full[0][0]);
    return `${shape.length > 1 ? shape.join(" × ") : `${shape[0]} numbers`}, norm ${text(norm)}`;
  };

  function told(node, alone, part) {
    const value = arrays[node.value], adjoint = node.adjoint === undefined ? null : arrays[node.adjoint];
    const [name, plain, whole, call] = ["name", "plain", "whole", "call"].map((key) => say(node, key));
    const made = words("div", "item", whole ? html("div", "formula", `${name} ${whole}`)
      : name ? html("div", "formula", say(node, "equation") || name) : words("div", "formula", plain));
    if (call) made.append(words("div", "call", `= ${call}`));
    const gradient = (more) => html("div", "what back", `gradient <span class="formula">${say(node, "gradient")}</span>${more}`);
    if (!alone) {
      made.append(words("div", "what", brief(value)));
      if (adjoint) made.append(html("div", "what back", `gradient: ${brief(adjoint)}`));
      return made;
    }
    made.append(words("div", "place", say(node, "where")));
    const { at: place, code } = node.texts;
    if (place) {
      made.append(words("div", "what", place));
      if (code.join("")) made.append(words("pre", "code", code[0], words("mark", "", code[1]), code[2]));
    }
    made.append(words("div", "what", "value"), matrix(value, plain));
    if (part) {
      made.append(gradient(", the part of this use"), matrix(part, `part of the gradient of ${plain}`));
    } else if (adjoint) {
      made.append(gradient(""), matrix(adjoint, `gradient of ${plain}`));
    }
    return made;
  }

  function fill(id) {
    const about = `${id} ${kept}`;
    if (card.dataset.about === about) return;  // its button may be about to be pressed
    card.dataset.about = about;
    const { nodes: own, words: name, of, part } = boxes[id], alone = own.length === 1;
    card.replaceChildren();
    if (kept) {
      const close = element("button", { class: "close", "aria-label": "Close" }, "×");
      close.addEventListener("click", () => keep(null));
      card.append(close);
    }
    if (name) card.append(words("div", "item", name));
    card.append(...own.map((i) => told(nodes[i], alone, part === undefined ? null : arrays[part])));
    if (of && !alone) card.append(words("div", "place", `one box for ${of} variables`));
  }

  function place() {  // beside the box, where there is room
    const { left, right, top, bottom } = get(kept || lit).getBoundingClientRect();
    const { width, height } = card.getBoundingClientRect(), edge = 8;
    const beside = right + edge + width < innerWidth ? right + edge : left - edge - width;
    const over = top - edge - height > 0 ? top - edge - height : bottom + edge;
    const free = beside > 0;
    const x = free ? beside : Math.min(Math.max((left + right - width) / 2, edge), innerWidth - width - edge);
    const y = free ? (top + bottom - height) / 2 : over;
    card.style.left = `${x}px`;
    card.style.top = `${Math.min(Math.max(y, edge), Math.max(innerHeight - height - edge, edge))}px`;
  }

  function show(id) {
    for (const near of document.querySelectorAll(".lit, .near")) near.classList.remove("lit", "near");
    lit = id;
    const seen = kept || lit;
    card.hidden = !seen;
    card.classList.toggle("kept", Boolean(kept));
    for (const one of new Set([kept, lit])) {
      if (!one) continue;
      get(one).classList.add("lit");
      for (const [arrow, ...ends] of arrows) if (ends.includes(one)) get(arrow)?.classList.add("near");
    }
    if (!seen) return;
    fill(seen);
    place();
  }

  function keep(id) {
    const before = kept;
    kept = id;
    if (!id && before) get(before).focus({ preventScroll: true });
    show(id);
    if (!id || !matchMedia("(max-width: 680px)").matches) return;
    const hidden = get(id).getBoundingClientRect().bottom - card.getBoundingClientRect().top;
    if (hidden > 0) move(0, hidden + 12);  // the card lies over the lower part of a small window
  }

  function spoken(id) {
    const { nodes: own, words: name } = boxes[id];
    return [name, ...own.map((i) => {
      const { value, adjoint } = nodes[i];
      return `${say(nodes[i], "plain")}: ${brief(arrays[value])}${adjoint === undefined ? "" : `, gradient ${brief(arrays[adjoint])}`}`;
    })].filter(Boolean).join("; ");
  }

  function reveal(id) {  // with the keyboard one comes to boxes that are out of sight
    const { left, right, top, bottom } = get(id).getBoundingClientRect(), frame = view.getBoundingClientRect();
    const dx = left < frame.left ? left - frame.left - 20 : right > frame.right ? right - frame.right + 20 : 0;
    const dy = top < frame.top ? top - frame.top - 20 : bottom > frame.bottom ? bottom - frame.bottom + 20 : 0;
    if (dx || dy) move(dx, dy);
  }

  svg.setAttribute("role", "group");
  for (const [id, { nodes: own, words: name }] of Object.entries(boxes)) {
    const group = get(id);
    if (!group || !(own.length || name)) continue;
    group.classList.add("told");
    for (const [key, value] of [["tabindex", "0"], ["role", "button"],
      ["aria-label", [name, ...own.map((i) => say(nodes[i], "plain"))].filter(Boolean).join(", ")]]) {
      group.setAttribute(key, value);
    }
    group.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse" && !dragging()) show(id); });
    group.addEventListener("pointerleave", () => { if (lit === id) show(null); });
    group.addEventListener("focus", () => {
      if (!group.matches(":focus-visible")) return;
      reveal(id);
      show(id);
      get("spoken").textContent = spoken(id);
    });
    group.addEventListener("blur", () => { if (lit === id) show(null); });
  }

  // --- pointers and keys ------------------------------------------------------------------------

  const pointers = new Map();
  let moved = 0;
  const dragging = () => pointers.size > 0 && moved > 4;

  view.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY], other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (other) {  // two fingers
      const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1, frame = view.getBoundingClientRect();
      zoom(apart(now) / apart(before), (now[0] + other[0]) / 2 - frame.left, (now[1] + other[1]) / 2 - frame.top);
      move((before[0] - now[0]) / 2, (before[1] - now[1]) / 2);
    } else if (dragging()) {
      document.body.classList.add("dragged");
      if (lit) show(null);
      move(before[0] - now[0], before[1] - now[1]);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    document.body.classList.remove("dragged");
  });
  view.addEventListener("click", (event) => {
    if (moved > 4) return;
    const id = event.target.closest(".told")?.id ?? null;
    if (id || kept) keep(id === kept ? null : id);
  });
  view.addEventListener("dblclick", (event) => {  // all of it, and back to where one can read
    if (event.target.closest(".told")) return;
    const frame = view.getBoundingClientRect(), whole = at.scale < fitting() * 1.01;
    if (whole) zoom(Math.max(READABLE / at.scale, 2), event.clientX - frame.left, event.clientY - frame.top);
    else fit();
  });
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = view.getBoundingClientRect(), lines = event.deltaMode ? 20 : 1;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return move(event.deltaX * lines, 0);
    zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });

  const keys = {
    ArrowLeft: () => move(-STEP, 0), ArrowRight: () => move(STEP, 0), ArrowUp: () => move(0, -STEP),
    ArrowDown: () => move(0, STEP), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8),
    "0": fit, Escape: () => kept ? keep(null) : show(null),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = document.activeElement?.closest(".told")?.id;
    if (own && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      keep(own === kept ? null : own);
    } else if (event.key in keys && !card.contains(document.activeElement)) {
      event.preventDefault();
      keys[event.key]();
    } else if (event.key === "Escape") {
      keep(null);
    }
  });
  get("out").addEventListener("click", () => zoom(0.8));
  get("in").addEventListener("click", () => zoom(1.25));
  get("fit").addEventListener("click", fit);
  addEventListener("resize", () => look(at.x, at.y, at.scale));
  addEventListener("beforeprint", () => {
    laidOut = null;
    svg.style.transform = "";
    svg.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
  });
  addEventListener("afterprint", () => look(at.x, at.y, at.scale));
  document.body.classList.add("moving");
  begin();
})();
