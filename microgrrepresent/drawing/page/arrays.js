"use strict";
/* Arrays on the page: small ones in full, as colored tables, large ones as heat maps. A heat map's
   bytes are its colors; its min, mean, max and norm were computed by the engine. */
const shown = (function () {
  const text = (x) => {
    if (typeof x === "string") return x.replace("inf", "∞").replace("-", "−");
    if (x === 0 || !Number.isFinite(x)) return String(x).replace("Infinity", "∞").replace("-", "−");
    const size = Math.abs(x);
    const short = size >= 1e4 || size < 1e-3 ? x.toExponential(2) : x.toPrecision(4);
    return (short.includes("e") ? short : String(Number(short))).replace("-", "−").replace("e−", "e−");
  };
  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "html") made.innerHTML = value; else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  const number = (x) => typeof x === "number" ? x : { inf: Infinity, "-inf": -Infinity }[x] ?? NaN;
  const levels = (array) => array.levels ??= Array.from(
    Int8Array.from(atob(array.map), (c) => c.charCodeAt(0)), (n) => n === -128 ? NaN : n / 127 * array.top);

  function sumOf(edges) {  // of contributions to one node, in the order in which they came
    const [first, ...rest] = edges.map((edge) => edge.part);
    if (!first.full) {
      const sum = rest.reduce((sum, next) => sum.map((x, i) => x + levels(next)[i]), levels(first));
      return { shape: first.shape, width: first.width, map: first.map, levels: sum, partial: true };
    }
    const full = rest.reduce((sum, next) => sum.map((row, i) => row.map((x, j) => number(x) + number(next.full[i][j]))), first.full);
    return { shape: first.shape, full, norm: Math.hypot(...full.flat().map(number)) };
  }

  const shapeOf = (array) => array.shape.length ? array.shape.join(" × ") : "a number";

  function matrix(array, label) {
    const box = element("div", {});
    if (array.full) {
      const top = Math.max(...array.full.flat().map((x) => Math.abs(number(x))).filter(Number.isFinite), 1e-300);
      const cell = (tag, x) => {
        const share = (Math.min(1, Math.abs(number(x)) / top) || 0) * 0.38;
        const color = `rgba(var(${number(x) < 0 ? "--minus" : "--plus"}), ${share.toFixed(3)})`;
        const looks = Number.isNaN(number(x)) ? { class: "nan" } : { style: `background:${color}` };
        return element(tag, { ...looks, title: String(x) }, text(x));
      };
      const words = { "aria-label": `${label}, ${shapeOf(array)}` };
      box.append(array.shape.length < 2
        ? element("div", { class: "row", role: "group", ...words }, ...array.full[0].map((x) => cell("span", x)))
        : element("table", { class: "matrix", style: `--columns:${array.full[0].length}`, ...words },
          ...array.full.map((row) => element("tr", {}, ...row.map((x) => cell("td", x))))));
    } else if (array.map) {
      box.append(heat(array, label));
    }
    if (array.partial) {
      box.append(element("div", { class: "stats" }, shapeOf(array)));
    } else if (array.map || array.shape.length) {
      const range = array.map
        ? `${shapeOf(array)} · min ${text(array.min)} · mean ${text(array.mean)} · max ${text(array.max)} · `
        : `${shapeOf(array)} · `;
      box.append(element("div", { class: "stats" }, `${range}norm ${text(array.norm)}`));
    }
    return box;
  }

  function heat(array, label) {
    const cells = levels(array), width = array.width, height = cells.length / width;
    const range = array.partial ? "" : `, min ${text(array.min)}, mean ${text(array.mean)}, max ${text(array.max)}`;
    const words = `${label}: heat map of ${shapeOf(array)} numbers${range}`;
    const canvas = element("canvas", { class: "heat", width, height, role: "img", "aria-label": words });
    canvas.style.aspectRatio = `${Math.max(width, 4)} / ${Math.min(Math.max(height, 1), width)}`;
    const paint = canvas.getContext("2d"), top = Math.max(...cells.map(Math.abs).filter(Number.isFinite), 1e-300);
    cells.forEach((x, i) => {
      const s = Math.min(1, Math.abs(x) / top), color = x < 0 ? "0, 114, 178" : "213, 94, 0";
      paint.fillStyle = Number.isNaN(x) ? "#cc79a7" : `rgba(${color}, ${s})`;  // 0 is the page's own color
      paint.fillRect(i % width, Math.floor(i / width), 1, 1);
    });
    return canvas;
  }

  return { text, element, matrix, sumOf };
})();
