// The page is complete without this: it folds the contents on small screens, marks the place, and opens what a
// link leads to, what is asked for, and everything for print.
(() => {
  const contents = document.querySelector("nav details");
  const narrow = matchMedia("(max-width: 70rem)");
  const fold = () => { contents.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
  contents.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) contents.open = false;
  });
  const folded = [...document.querySelectorAll("main details")];
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inner = target.querySelector(":scope > .fold");
    if (inner) inner.open = true;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    target.scrollIntoView({ behavior: "instant" });
  };
  addEventListener("hashchange", reveal);
  // A link to where the page is already changes no address, and its target may have been closed since.
  document.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#"]')?.hash === location.hash) reveal();
  });
  reveal();
  document.querySelectorAll(".folding").forEach((part) => {
    part.hidden = false;
    part.addEventListener("click", (event) => {
      const fold = event.target.closest("button")?.dataset.fold;
      if (fold) part.closest("section").querySelectorAll("details").forEach((one) => { one.open = fold === "open"; });
    });
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folded.filter((part) => !part.open);
    closed.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  if (!("IntersectionObserver" in window)) return;
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      document.querySelector("nav a[aria-current]")?.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "location");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("section[id], .card[id]").forEach((part) => watch.observe(part));
})();
