// The start page: the towers pass a word on, and the way of a byte gets this page's own numbers.

import { bytes, millis } from "./exchange.js";

// How each tower stands for a letter: bar, left arm, right arm, in degrees. Our own alphabet,
// enough for one word; the real code had 92 signs and a book of words.
const SIGNS = {
  r: [0, 90, -45],
  e: [-45, 135, 90],
  l: [90, 45, 45],
  a: [0, -90, -90],
  i: [90, -135, 135],
  s: [-45, -90, 45],
};
const WORD = "relais";
const PER_SIGN = 950;
const PER_TOWER = 420;

const towers = [...document.querySelectorAll("[data-tower]")];
const caption = document.querySelector("#said");
const again = document.querySelector("#again");
let running = [];

again.hidden = false;
again.addEventListener("click", send);
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) send();

function send() {
  running.forEach(clearTimeout);
  running = [];
  [...WORD].forEach((letter, sign) => {
    towers.forEach((tower, hop) => {
      const at = 500 + sign * PER_SIGN + hop * PER_TOWER;
      running.push(setTimeout(() => pose(tower, SIGNS[letter]), at));
    });
    const arrived = 500 + sign * PER_SIGN + towers.length * PER_TOWER;
    running.push(setTimeout(() => { caption.textContent = WORD.slice(0, sign + 1); }, arrived));
  });
}

function pose(tower, [bar, left, right]) {
  tower.querySelector(".bar-arm").style.rotate = `${bar}deg`;
  tower.querySelector(".left").style.rotate = `${left}deg`;
  tower.querySelector(".right").style.rotate = `${right}deg`;
}

function tellThisPage() {
  const [page] = performance.getEntriesByType("navigation");
  if (!page || !page.responseEnd) return;
  const opened = page.connectEnd - page.connectStart;
  const tls = page.secureConnectionStart ? page.connectEnd - page.secureConnectionStart : 0;
  const facts = {
    protocol: page.nextHopProtocol || "not told",
    connect: opened > 0 ? millis(opened - tls) : "reused",
    tls: location.protocol !== "https:" ? "none" : tls > 0 ? millis(tls) : "reused",
    wait: millis(page.responseStart - page.requestStart),
    size: page.transferSize ? bytes(page.transferSize) : "from cache",
  };
  for (const [name, value] of Object.entries(facts)) {
    document.querySelector(`[data-fact="${name}"]`).textContent = value;
  }
  document.querySelector("#facts").hidden = false;
}

// The entry is complete only when the page has been received whole.
if (document.readyState === "complete") tellThisPage();
else addEventListener("load", tellThisPage);
