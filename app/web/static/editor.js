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
  let kept = typed(), sentAt = 0, waiting = 0, busy = null, wait = RARELY, leaving = false, going = false;

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
  // Where and when it was kept: what is kept next takes the place of that, and of nothing another window keeps.
  const adopt = (told) => {
    for (const field of document.querySelectorAll("input[name=place]")) {
      if (field.value !== form.dataset.draft) continue;
      field.value = told.place;
      if (field.form.elements.shown) field.form.elements.shown.value = told.saved_at;
    }
    form.dataset.draft = told.place;
    form.elements.seen.value = told.saved_at;
  };
  async function keep() {
    const now = typed();
    if (leaving || busy || now === kept) return;
    sentAt = Date.now();
    const mine = busy = new AbortController(), data = message([...fields, "seen"]);
    let done = false;
    say("Saving the draft …", "busy");
    try {
      // A tab that is put away may never come back: as far as browsers let a page that goes.
      const keepalive = document.hidden && data.toString().length < KEEPALIVE;
      const answer = await send("/drafts", data, { signal: mine.signal, keepalive });
      if (!answer.ok) throw answer.status;
      const told = await answer.json();
      if (leaving || busy !== mine) return;
      adopt(told);
      done = true;
      kept = now;
      wait = RARELY;
      const at = new Date(told.saved_at);
      if (typed() === kept) {
        form.dataset.drafted = "yes";
        say(`Draft saved at ${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })}`, "saved");
      }
    } catch (problem) {
      if (leaving || busy !== mine) return;
      const why = problem === 403 ? "you are signed out, or this page is too old. Save it to see what to do"
        : problem === 429 ? "too many at once" : typeof problem === "number" ? "the site is in trouble" : "there is no connection";
      say(`Not saved: ${why}. Your text is in this window only.`, "lost");
      wait = Math.min(LONGEST_WAIT, wait * 2);
    } finally {
      if (busy === mine) busy = null;
    }
    if (typed() === kept) return;
    if (done && document.hidden) keep();
    else later(SOON);
  }
  form.addEventListener("input", () => {
    delete form.dataset.drafted;
    if (status.dataset.state !== "lost") say("Not saved yet", "unsaved");
    later(SOON);
  });
  addEventListener("online", () => { wait = RARELY; later(0); });
  // A tab that is put away says it now, or after what is under way, so that nothing older is kept last.  Only a page that
  // goes cannot wait for that: it takes it back.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || typed() === kept) return;
    if (going && busy) {
      busy.abort();
      busy = null;
    }
    keep();
  });
  addEventListener("pagehide", () => { going = true; });
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
  addEventListener("pageshow", () => { leaving = going = false; });
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
