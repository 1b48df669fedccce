"use strict";
// Light up all pieces of one row, and its card, while one of them is pointed at or focused.
(() => {
  const tip = document.getElementById("tip");
  let lit = [];
  const clear = () => { lit.forEach((n) => n.classList.remove("lit")); lit = []; tip.hidden = true; };
  const light = (node) => {
    clear();
    const ids = node.dataset.of ? node.dataset.of.split(" ") : [node.id.replace("card-", "")];
    ids.forEach((id) => {
      document.querySelectorAll('[data-of~="' + id + '"], #card-' + id).forEach((n) => { n.classList.add("lit"); lit.push(n); });
    });
    const cards = ids.map((id) => document.getElementById("card-" + id)).filter(Boolean);
    if (node.dataset.of && cards.length) {
      tip.replaceChildren(...cards.slice(0, 4).map((card) => { const copy = card.cloneNode(true); copy.removeAttribute("id"); return copy; }));
      tip.hidden = false;
    }
  };
  const target = (event) => event.target.closest("[data-of], .card");
  for (const [on, off] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(on, (event) => { const node = target(event); if (node) light(node); });
    document.addEventListener(off, (event) => { if (target(event)) clear(); });
  }
  // An address with the id of a quote or event leads to it and lights up all its pieces.
  const arrive = () => {
    const link = location.hash.length > 1 && Array.from(document.querySelectorAll(".card a")).find((a) => a.hash === location.hash);
    if (link) light(link.closest(".card"));
  };
  window.addEventListener("hashchange", arrive);
  arrive();
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
  for (const box of document.querySelectorAll("[data-shows]")) {
    const set = () => document.body.classList.toggle("hide-" + box.dataset.shows, !box.checked);
    box.addEventListener("change", set);
    set();
  }
})();
