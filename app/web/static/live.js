// Follows /live. Rows are redrawn in place; nothing moves under the pointer, new rows wait.
const list = document.querySelector("[data-fragment]");
const held = document.querySelector("[data-held]");
const target = document.querySelector("[data-rows]");
const ticket = document.querySelector("[data-ticket]")?.dataset.ticket;
const thread = document.querySelector("[data-thread]");
let waiting = null, timer = 0;

async function fragment(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return null;
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  return { rows: made.content, count: answer.headers.get("X-Count") };
}

const refs = (root) => new Map([...root.querySelectorAll("li[data-ref]")].map((row) => [row.dataset.ref, row]));

function redraw(row, fresh) {
  const link = row.querySelector("a.row");
  const next = fresh.querySelector("a.row");
  if (link.hasAttribute("aria-current")) { next.setAttribute("aria-current", "true"); fresh.classList.remove("is-unread"); }
  const had = document.activeElement === link;
  row.replaceWith(fresh);
  if (had) next.focus();
}

function showAll() {
  if (!waiting) return;
  const known = refs(target);
  for (const [ref, row] of refs(waiting)) if (!known.has(ref)) row.classList.add("fresh");
  const here = target.querySelector(".row[aria-current]")?.closest("li")?.dataset.ref;
  target.replaceChildren(...waiting.querySelectorAll("li[data-ref]"));
  const row = here && target.querySelector(`li[data-ref="${here}"]`);
  if (row) { row.classList.remove("is-unread"); row.querySelector("a").setAttribute("aria-current", "true"); }
  target.parentElement.querySelector(".empty")?.remove();
  waiting = null;
  held.hidden = true;
}

async function look() {
  const found = list?.dataset.fragment ? await fragment(list.dataset.fragment) : null;
  if (!found || !target) return;
  const now = refs(found.rows), shown = refs(target);
  const badge = list.querySelector("h1 .count");
  if (badge) badge.textContent = found.count ?? "";
  let fresh = 0;
  for (const ref of now.keys()) if (!shown.has(ref)) fresh += 1;
  for (const [ref, row] of shown) {
    const next = now.get(ref);
    if (!next) row.classList.add("gone");
    else if (next.dataset.version !== row.dataset.version) redraw(row, next.cloneNode(true));
  }
  waiting = found.rows;
  const still = !target.matches(":hover") && !target.contains(document.activeElement);
  if (fresh && still && target.closest(".scroll").scrollTop < 8) showAll();
  else if (fresh) {
    const words = held.querySelector("span");
    words.textContent = fresh === 1 ? words.dataset.one : words.dataset.many.replace("{n}", fresh);
    held.hidden = false;
  }
}

async function lookAtThread() {
  const found = await fragment(thread.dataset.thread);
  const next = found?.rows.querySelector("#thread");
  const old = document.getElementById("thread");
  if (!next || !old) return;
  // What the agent folded open stays open; the composer is not touched.
  for (const one of old.querySelectorAll("details[id][open]")) {
    const twin = next.querySelector(`#${CSS.escape(one.id)}`);
    if (twin) twin.open = true;
  }
  old.replaceWith(next);
}

function soon(event) {
  const told = event?.data ? JSON.parse(event.data) : {};
  clearTimeout(timer);
  timer = setTimeout(look, 120);
  if (thread && ticket && (!told.ticket || told.ticket === ticket)) lookAtThread();
}

held?.addEventListener("click", showAll);
if (document.body.dataset.live && (list || thread)) {
  const source = new EventSource(document.body.dataset.live);
  source.onmessage = soon;
  source.addEventListener("reload", () => soon());
  addEventListener("pagehide", () => source.close());
  // Times such as "waiting 5 min" grow by themselves.
  setInterval(() => { if (!document.hidden) look(); }, 60_000);
}
