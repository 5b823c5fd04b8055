"use strict";
(function () {
  const { norms, losses, inputs, read, said } = JSON.parse(document.getElementById("data").textContent);
  const { text } = shown;
  const get = (id) => document.getElementById(id);
  const rows = losses.length, columns = inputs.length;
  const sums = norms.map((row) => row.reduce((a, b) => a + b, 0) || 1);
  const share = (i, j) => norms[i][j] / sums[i];
  const known = norms.flat().filter((x) => x > 0 && Number.isFinite(x));
  let top = 0, bottom = Infinity;
  for (const x of known) { top = Math.max(top, x); bottom = Math.min(bottom, x); }
  bottom = Math.max(bottom, top * 1e-6);
  const level = (x) => x > 0 ? 0.06 + 0.94 * Math.max(0, Math.log(x / bottom) / Math.log(top / bottom || 1) || 0) : 0;
  const percent = (x) => x >= 0.0995 ? `${Math.round(100 * x)} %` : x > 0 && x < 0.001 ? "< 0.1 %" : `${(100 * x).toFixed(1)} %`;
  const visible = (word) => word === " " ? "␣" : word === "\n" ? "⏎" : word;
  get("low").textContent = text(bottom);
  get("high").textContent = text(top);

  // --- the text: each letter is a button, whose color says what it gives or owes ------------------

  function letters(id, words, times, choose) {
    const holder = get(id);
    holder.classList.toggle("numbers", !words.length);
    holder.classList.toggle("words", words.some((word) => word.length > 1));
    return times.map((t, n) => {
      const button = document.createElement("button");
      button.textContent = words.length ? visible(words[n]) : String(t);
      button.setAttribute("aria-label", `step ${t}${words.length ? `: ${words[n]}` : ""}`);
      for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, () => choose(n));
      holder.append(button);
      return button;
    });
  }
  const own = (words, n, letter, times) => `${letter}<sub>${times[n]}</sub>` + (words.length ? ` “${escaped(visible(words[n]))}”` : "");
  const escaped = (word) => word.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
  const loss = (i) => own(said, i, "<i>L</i>", losses), input = (j) => own(read, j, "<i>x</i>", inputs);
  const readers = letters("read", read, inputs, (j) => choose(null, j));
  const sayers = letters("said", said, losses, (i) => choose(i, null));

  let chosen = [null, null];
  function choose(i, j) {
    chosen = [i, j];
    const most = i !== null ? Math.max(...norms[i].map((_, k) => share(i, k)))
      : Math.max(...norms.map((_, t) => share(t, j)));
    const paint = (button, x, color) => {
      button.style.backgroundColor = x > 0 ? `rgba(var(--${color}), ${(0.85 * Math.sqrt(x / most)).toFixed(3)})` : "";
    };
    readers.forEach((button, k) => {
      paint(button, i === null ? 0 : share(i, k), "plus");
      button.setAttribute("aria-pressed", String(k === j));
    });
    sayers.forEach((button, t) => {
      paint(button, i === null ? share(t, j) : 0, "minus");
      button.setAttribute("aria-pressed", String(t === i));
    });
    get("said-of").innerHTML = words(i, j);
    draw();
  }

  function words(i, j) {
    if (i !== null && j !== null) {
      return `${loss(i)} and ${input(j)}: norm ${text(norms[i][j])}, ${percent(share(i, j))} of what this loss listens to`;
    }
    if (i !== null) {
      const order = norms[i].map((_, k) => k).sort((a, b) => norms[i][b] - norms[i][a]).slice(0, 3).filter((k) => norms[i][k] > 0);
      return `${loss(i)} listens to ` + (order.map((k) => `${input(k)} (${percent(share(i, k))})`).join(", ") || "nothing");
    }
    const order = norms.map((_, t) => t).sort((a, b) => share(b, j) - share(a, j)).slice(0, 3).filter((t) => norms[t][j] > 0);
    return `To ${input(j)} owe most ` + (order.map((t) => `${loss(t)} (${percent(share(t, j))})`).join(", ") || "none");
  }

  // --- the matrix -------------------------------------------------------------------------------

  const canvas = get("matrix"), cell = Math.max(1, Math.floor(960 / Math.max(rows, columns)));
  canvas.width = columns * cell;
  canvas.height = rows * cell;
  canvas.style.aspectRatio = `${columns} / ${rows}`;
  const paint = canvas.getContext("2d");
  function draw() {
    const color = getComputedStyle(document.documentElement).getPropertyValue("--plus");
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
    paint.clearRect(0, 0, canvas.width, canvas.height);
    norms.forEach((row, i) => row.forEach((x, j) => {
      const shade = level(x);
      if (!shade) return;
      paint.fillStyle = `rgba(${color}, ${shade.toFixed(3)})`;
      paint.fillRect(j * cell, i * cell, cell, cell);
    }));
    const [i, j] = chosen;
    paint.strokeStyle = ink;
    paint.lineWidth = Math.max(1.5, cell / 12);
    if (i !== null && j === null) paint.strokeRect(0, i * cell, canvas.width, cell);
    if (j !== null && i === null) paint.strokeRect(j * cell, 0, cell, canvas.height);
    if (i !== null && j !== null) paint.strokeRect(j * cell, i * cell, cell, cell);
  }
  const within = (x, n) => Math.min(Math.max(x, 0), n - 1);
  canvas.addEventListener("pointermove", (event) => {
    const frame = canvas.getBoundingClientRect();
    choose(within(Math.floor((event.clientY - frame.top) / frame.height * rows), rows),
      within(Math.floor((event.clientX - frame.left) / frame.width * columns), columns));
  });
  const keys = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const way = keys[event.key];
    if (!way) return;
    event.preventDefault();
    choose(within((chosen[0] ?? 0) + way[0], rows), within((chosen[1] ?? 0) + way[1], columns));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  choose(rows - 1, null);
})();
