const frames = document.querySelectorAll("figure");
let at = 0;
function show(k) {
  at = Math.min(Math.max(k, 0), frames.length - 1);
  frames.forEach((frame, i) => { frame.hidden = i !== at; });
  document.getElementById("at").textContent = `${at + 1} / ${frames.length}`;
}
document.getElementById("back").onclick = () => show(at - 1);
document.getElementById("on").onclick = () => show(at + 1);
document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") show(at - 1);
  if (event.key === "ArrowRight") show(at + 1);
});
show(0);
