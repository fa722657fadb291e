// Follows /live. Rows are redrawn in place; nothing moves under the pointer, new rows wait.
const list = document.querySelector("[data-fragment]");
const held = document.querySelector("[data-held]");
const target = document.querySelector("[data-rows]");
const ticket = document.querySelector("[data-ticket]")?.dataset.ticket;
const thread = document.querySelector("[data-thread]");
const lessons = document.getElementById("lessons");
const ABOVE = new Set(["surge_began", "complained", "complaint_noted"]);
let waiting = null, timer = 0, lessonTimer = 0;

async function page(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  return answer.ok && !answer.redirected ? answer : null;
}

async function fragment(address) {
  const answer = await page(address);
  if (!answer) return null;
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  return { rows: made.content, count: answer.headers.get("X-Count") };
}

async function anew() {
  const answer = await page(location.href);
  return answer && new DOMParser().parseFromString(await answer.text(), "text/html");
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

async function lookAbove() {
  const old = document.getElementById("alarms");
  const next = (await anew())?.getElementById("alarms");
  if (next && !old.contains(document.activeElement)) old.replaceChildren(...next.children);
}

// What somebody else has said meanwhile grows pale. Rows move only when nobody is at them.
async function lookAtLessons() {
  lessonTimer = 0;
  const next = await anew();
  const fresh = next?.getElementById("lessons");
  if (!fresh) return;
  document.querySelector(".taught").replaceWith(next.querySelector(".taught"));
  const held = lessons.matches(":hover") || lessons.contains(document.activeElement) || lessons.querySelector("details[open]");
  const list = lessons.querySelector("ol");
  if (!held || !list) return lessons.replaceChildren(...fresh.children);
  const now = refs(fresh), shown = refs(lessons);
  for (const [ref, row] of shown) row.classList.toggle("gone", !now.has(ref));
  list.append(...[...now].filter(([ref]) => !shown.has(ref)).map(([, row]) => row));
}

function soon(event) {
  const told = event?.data ? JSON.parse(event.data) : {};
  clearTimeout(timer);
  timer = setTimeout(look, 120);
  if (document.getElementById("alarms") && (!told.what || ABOVE.has(told.what))) lookAbove();
  // Finding what teaches most looks at many: once for all that happens within two seconds.
  if (lessons) lessonTimer ||= setTimeout(lookAtLessons, 2000);
  if (thread && ticket && (!told.ticket || told.ticket === ticket)) lookAtThread();
}

held?.addEventListener("click", showAll);
if (document.body.dataset.live && (list || thread || lessons)) {
  const source = new EventSource(document.body.dataset.live);
  source.onmessage = soon;
  source.addEventListener("reload", () => soon());
  addEventListener("pagehide", () => source.close());
  // Times such as "waiting 5 min" grow by themselves.
  setInterval(() => { if (!document.hidden) look(); }, 60_000);
}
