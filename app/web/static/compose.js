// The answer: sent with Ctrl+Enter, kept on the server while it is written.
const form = document.querySelector("[data-composer]");
const text = form?.querySelector("textarea");
const saved = form?.querySelector("[data-saved]");
let timer = 0, last = text?.value ?? "", sending = false;

async function keep() {
  if (sending || text.value === last) return;
  const now = text.value;
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams({ text: now }), credentials: "same-origin", keepalive: true });
    if (!answer.ok) throw new Error(String(answer.status));
    last = now;
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    saved.textContent = now ? saved.dataset.words.replace("{time}", time) : "";
  } catch {
    saved.textContent = saved.dataset.unsaved;
    timer = setTimeout(keep, 5000);
  }
}

if (form) {
  text.addEventListener("input", () => {
    saved.textContent = saved.dataset.unsaved;
    clearTimeout(timer);
    timer = setTimeout(keep, 800);
  });
  addEventListener("pagehide", () => { clearTimeout(timer); keep(); });
  form.addEventListener("submit", () => { sending = true; clearTimeout(timer); });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    const button = [...form.querySelectorAll("[data-send]")].find((one) => one.offsetParent);
    if (button && text.value.trim()) form.requestSubmit(button);
  });
  const files = form.querySelector("input[type=file]");
  files?.addEventListener("change", () => {
    form.querySelector("[data-picked]").textContent = [...files.files].map((file) => file.name).join(", ");
  });
  const gets = form.querySelector("[data-gets]");
  for (const field of form.querySelectorAll("input[name=to], input[name=cc]")) {
    field.addEventListener("input", () => {
      const { to, cc } = form.elements;
      gets.textContent = `${gets.dataset.to} ${to.value}${cc.value.trim() ? ` ${gets.dataset.cc} ${cc.value}` : ""}`;
    });
  }
  if (location.hash === "#draft") text.focus();
}
