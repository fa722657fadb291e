// Fills in what is known of a provider, at once and without losing what was typed elsewhere.
const choice = document.querySelector("[data-preset]");
const address = document.getElementById("f-address");
const parts = ["folds", "preset-words"];

async function fill() {
  const form = choice.form;
  const answer = await fetch(`${form.action}?preset=${encodeURIComponent(choice.value)}`, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = parts.map((id) => page.getElementById(id));
  const hidden = document.querySelector("input[name=preset]");
  if (answer.redirected || !hidden || fresh.some((part) => !part)) return form.submit();
  hidden.value = choice.value;
  for (const part of fresh) document.getElementById(part.id).replaceWith(document.adoptNode(part));
}

if (choice) {
  choice.form.querySelector("button").hidden = true;
  choice.addEventListener("change", () => fill().catch(() => choice.form.submit()));
}

// An address often tells the provider; what somebody chose is left alone.
address?.addEventListener("change", () => {
  const domain = `.${address.value.trim().toLowerCase().split("@").pop()}`;
  const own = [...choice.options].find((one) => one.dataset.domains.split(" ").some((end) => end && domain.endsWith(`.${end}`)));
  if (!own || choice.selectedIndex !== 0) return;
  choice.value = own.value;
  fill().catch(() => {});
});
