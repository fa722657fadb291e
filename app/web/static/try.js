// Tests a connection without leaving the form: what was typed stays, passwords too.
const button = document.querySelector("[data-try]");
const parts = ["connection", "folders"];

button?.addEventListener("click", async (event) => {
  event.preventDefault();
  if (!button.form.reportValidity()) return;
  const place = document.getElementById("connection");
  place.textContent = button.dataset.words;
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(button.form));
    const answer = await fetch(button.formAction, { method: "POST", body, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = parts.map((id) => page.getElementById(id));
    if (answer.redirected || fresh.some((part) => !part)) throw new Error(String(answer.status));
    for (const part of fresh) document.getElementById(part.id).replaceWith(document.adoptNode(part));
    document.getElementById("connection").scrollIntoView({ block: "nearest" });
  } catch {
    place.textContent = button.dataset.failed;
  } finally {
    button.disabled = false;
  }
});
