// The writing page, better with a script: keeps what is typed on the server every few seconds, and shows a preview.
"use strict";

(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form || !form.elements.body) return;
  const RARELY = 4000, SOON = 1500, LONGEST_WAIT = 60000, KEEPALIVE = 60000;
  const fields = ["title", "brief", "body", "tags", "version"];
  const area = form.elements.body;
  const status = form.querySelector("[data-draft-state]");
  const typed = () => fields.map((name) => (form.elements[name] ? form.elements[name].value : "")).join("\0");
  let kept = typed(), sentAt = 0, waiting = 0, busy = null, wait = RARELY, leaving = false;

  const say = (words, state) => {
    if (status.textContent !== words) status.textContent = words;
    status.dataset.state = state;
  };
  const message = (names) => {
    const data = new URLSearchParams({ place: form.dataset.draft });
    for (const name of names) if (form.elements[name]) data.set(name, form.elements[name].value);
    return data;
  };
  const send = (path, data, options = {}) => fetch(path, {
    method: "POST", body: data, credentials: "same-origin", redirect: "error",
    headers: { "X-Form-Token": form.elements.form_token.value }, ...options,
  });

  const later = (after) => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, Math.max(after, sentAt + wait - Date.now()));
  };
  async function keep() {
    const now = typed();
    if (leaving || busy || now === kept) return;
    sentAt = Date.now();
    busy = new AbortController();
    say("Saving the draft …", "busy");
    try {
      const answer = await send("/drafts", message(fields), { signal: busy.signal });
      if (!answer.ok) throw answer.status;
      kept = now;
      wait = RARELY;
      const at = new Date((await answer.json()).saved_at);
      if (typed() === kept) {
        form.dataset.drafted = "yes";
        say(`Draft saved at ${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })}`, "saved");
      }
    } catch (problem) {
      if (leaving) return;
      const why = problem === 403 ? "you are signed out, or this page is too old. Save it to see what to do"
        : problem === 429 ? "too many at once" : typeof problem === "number" ? "the site is in trouble" : "there is no connection";
      say(`Not saved: ${why}. Your text is in this window only.`, "lost");
      wait = Math.min(LONGEST_WAIT, wait * 2);
    } finally {
      busy = null;
    }
    if (typed() !== kept) later(SOON);
  }
  form.addEventListener("input", () => {
    delete form.dataset.drafted;
    if (status.dataset.state !== "lost") say("Not saved yet", "unsaved");
    later(SOON);
  });
  addEventListener("online", () => { wait = RARELY; later(0); });
  // A tab that is put away may never come back: say it now, as far as browsers let a page that goes.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || leaving || typed() === kept) return;
    const data = message(fields);
    const small = data.toString().length < KEEPALIVE;
    send("/drafts", data, { keepalive: small }).catch(() => {});
  });
  // Before anybody else hears of it: what cannot be sent must not make the browser leave the page.
  form.addEventListener("submit", (event) => {
    if (!navigator.onLine) {
      event.preventDefault();
      event.stopImmediatePropagation();
      say("There is no connection, so nothing was sent. Your text is in this window: save it again once you are back.", "lost");
      return;
    }
    leaving = true;
    clearTimeout(waiting);
    if (busy) busy.abort();
  }, true);
  addEventListener("pageshow", () => { leaving = false; });
  if (!("save" in form.dataset)) form.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      sentAt = 0;
      keep();
    }
  });

  const button = form.querySelector("[data-preview]"), place = form.querySelector("[data-preview-place]");
  const shut = () => {
    place.hidden = true;
    area.hidden = false;
    button.textContent = "Preview";
    button.setAttribute("aria-pressed", "false");
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!place.hidden) {
      shut();
      area.focus();
      return;
    }
    button.disabled = true;
    try {
      const answer = await send("/drafts/preview", message(["body"]));
      if (!answer.ok) throw answer.status;
      // Made safe by the server, and parsed as a document of its own, in which nothing runs.
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...made.body.childNodes);
      place.hidden = false;
      area.hidden = true;
      button.textContent = "Write on";
      button.setAttribute("aria-pressed", "true");
    } catch {
      say("The preview could not be made. Try again shortly.", "lost");
    } finally {
      button.disabled = false;
      button.focus();
    }
  });
})();
