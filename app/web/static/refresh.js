// Redraws a part of the page that changes by itself, for as long as that part asks for it.
// Nothing moves away under whoever is about to press it, or from under their eyes.
const held = (part) => part.contains(document.activeElement) || part.querySelector("a:hover, button:hover, summary:hover, details[open]");

async function redraw(part) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (fresh && !held(part)) part.replaceWith(document.adoptNode(fresh));
}

function later() {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  setTimeout(async () => {
    if (!document.hidden && !held(part)) await redraw(part).catch(() => {});
    later();
  }, Number(part.dataset.refresh) * 1000);
}

later();
