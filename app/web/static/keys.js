// Keys, menus and small comforts. What a key does is written on the element: data-key="e".
const typing = (at) => at.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
const shown = (one) => one.offsetParent !== null || one.closest("details:not([open])");
let before = "", beforeAt = 0;

function rows() {
  return [...document.querySelectorAll("[data-rows] a.row")];
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(document.activeElement.closest?.("a.row"));
  const current = all.findIndex((row) => row.hasAttribute("aria-current"));
  const at = here >= 0 ? here + step : current >= 0 ? current + step : 0;
  const row = all[Math.max(0, Math.min(all.length - 1, at))];
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  if (document.querySelector("[data-ticket]") && row !== all[current]) row.click();
}

function press(one) {
  if (one.matches("input[type=radio]")) {
    one.click();
    document.getElementById("draft")?.focus();
  } else if (one.matches("input")) {
    one.focus();
    one.select();
  } else {
    one.click();
    if (one.matches("summary")) one.parentElement.querySelector(".pop a, .pop button, .pop input")?.focus();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const open = document.querySelector("details.menu[open]");
  if (event.key === "Escape") {
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (typing(event.target)) event.target.blur();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing(event.target)) {
    const undo = document.querySelector("[data-undo]");
    if (undo) { event.preventDefault(); undo.click(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const all = [...open.querySelectorAll(".pop a, .pop button, .pop input")].filter((one) => one.offsetParent);
    const at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    all[(at + all.length) % all.length]?.focus();
    return;
  }
  const key = before && Date.now() - beforeAt < 1500 ? `${before} ${event.key}` : event.key;
  before = "";
  if (event.key === "g" && key === "g") { before = "g"; beforeAt = Date.now(); return; }
  if (key === "j" || key === "ArrowDown") { event.preventDefault(); move(1); return; }
  if (key === "k" || key === "ArrowUp") { event.preventDefault(); move(-1); return; }
  if (key === "o") { document.activeElement.closest?.("a.row")?.click(); return; }
  if (key === "?") { document.getElementById("keys")?.showModal(); return; }
  const row = document.activeElement.closest?.("li[data-ref]");
  const inside = row?.querySelector(`[data-in-row="${CSS.escape(key)}"]`);
  if (inside) { event.preventDefault(); inside.click(); return; }
  const act = row && document.querySelector(`[data-row-key="${CSS.escape(key)}"]`);
  if (act) {
    event.preventDefault();
    act.setAttribute("formaction", `/tickets/${row.dataset.ref}/${act.dataset.act}`);
    act.form.requestSubmit(act);
    return;
  }
  const one = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(shown);
  if (one) { event.preventDefault(); press(one); }
});

// One menu at a time; a click beside it closes it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.matches("[data-copy]")) event.target.select();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    const form = event.target.closest?.("[data-send-keys]");
    if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[data-send]")); }
  }
});

// What was done is said once: going back to this page must not say it again.
const url = new URL(location.href);
if (url.searchParams.has("did")) {
  // Who works through the list from the keyboard goes on with the row below.
  if (document.querySelector("[data-row-key]")) {
    const all = rows();
    const at = all.findIndex((row) => row.parentElement.dataset.ref === url.searchParams.get("on"));
    all[Math.min(at + 1, all.length - 1)]?.focus();
  }
  url.searchParams.delete("did");
  url.searchParams.delete("on");
  url.searchParams.delete("act");
  url.searchParams.delete("at");
  history.replaceState(null, "", url);
}
document.querySelector(".row[aria-current]")?.scrollIntoView({ block: "nearest" });
