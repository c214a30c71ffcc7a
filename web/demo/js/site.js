// What every page has: the theme button, this server's own address in command lines, copy buttons.

const THEMES = ["auto", "light", "dark"];

// Where the demo listens: the site, and the proxy before it.
const PORTS = [{ http: "8081", https: "8443" }, { http: "9000", https: "9443" }];

offerThemes(document.querySelector(".theme"));
fillOrigins();
document.querySelectorAll(".cmd").forEach(offerCopy);

function offerThemes(button) {
  show(document.documentElement.dataset.theme ?? "auto");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(button.dataset.theme) + 1) % THEMES.length];
    remember(next);
    show(next);
  });

  function show(theme) {
    button.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }
}

function remember(theme) {
  try {
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

// Command lines name the demo's usual addresses. Seen through another address (a port chosen by
// the kernel, the proxy in front), they name that one, and for the other scheme its neighbour.
function fillOrigins() {
  const here = location.protocol.replace(":", "");
  const there = here === "https" ? "http" : "https";
  fillHost(here, location.host);
  const ports = PORTS.find((ports) => ports[here] === location.port);
  if (ports) fillHost(there, `${location.hostname}:${ports[there]}`);
}

function fillHost(scheme, host) {
  for (const place of document.querySelectorAll(`[data-origin="${scheme}"]`)) {
    place.textContent = `${scheme}://${host}`;
  }
  for (const place of document.querySelectorAll(`[data-host="${scheme}"]`)) {
    place.textContent = host;
  }
}

function offerCopy(box) {
  const code = box.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  const said = document.createElement("span");
  said.className = "sr";
  said.setAttribute("role", "status");
  const show = (text) => {
    button.textContent = text;
    button.setAttribute("aria-label", `${text}: ${box.dataset.what}`);
  };
  show("Copy");
  button.addEventListener("click", async () => {
    const done = await copy(code);
    show(done ? "Copied" : "Selected");
    said.textContent = done ? "Copied" : "Selected; copy it with the keyboard";
    setTimeout(() => { show("Copy"); said.textContent = ""; }, 1600);
  });
  box.classList.add("copyable");
  box.append(button, said);
}

// Without a secure context there is no clipboard: the text is selected instead.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}
