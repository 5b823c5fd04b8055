const frames = document.querySelectorAll("figure");
let at = 0;
function show(k) {
  at = Math.min(Math.max(k, 0), frames.length - 1);
  frames.forEach((frame, i) => { frame.hidden = i !== at; });
  document.getElementById("at").textContent = `${at + 1} / ${frames.length}`;
}
const play = document.getElementById("play");
let clock = null;
function pause() {
  clearInterval(clock);
  clock = null;
  play.textContent = "Play";
}
function go(step) {
  pause();
  show(at + step);
}
play.onclick = () => {
  if (clock !== null) return pause();
  if (at === frames.length - 1) show(0);
  play.textContent = "Pause";
  clock = setInterval(() => {
    show(at + 1);
    if (at === frames.length - 1) pause();
  }, 1200);
};
document.getElementById("back").onclick = () => go(-1);
document.getElementById("next").onclick = () => go(1);
document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") go(-1);
  if (event.key === "ArrowRight") go(1);
});
show(0);
