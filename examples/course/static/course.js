// What scrolls can be reached with the keyboard; answers are called by what they say.
addEventListener("load", () => {
  const scrolled = "pre, p:has(> img), div.math, .output, .table-wrapper, .sidebar-scroll, .toc-scroll";
  for (const answer of document.querySelectorAll("details.hide summary")) {
    answer.removeAttribute("aria-label"); // it is called what is written on it
  }
  for (const element of document.querySelectorAll(scrolled)) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  }
});
