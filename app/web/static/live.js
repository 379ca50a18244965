// Who else is at this document, and whether it was saved meanwhile.
(() => {
  "use strict";
  const place = document.querySelector("[data-live]");
  if (!place || !("WebSocket" in window)) return;
  const who = place.querySelector("[data-live-people]");
  const what = place.querySelector("[data-live-news]");
  let known = Number(place.dataset.version), talk = place.dataset.talk, pause = 1000, tries = 0;

  const list = (names) => (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names.at(-1));
  const show = (element, text) => {
    if (element.firstChild.textContent !== text) element.firstChild.textContent = text;
    element.hidden = !text;
    place.hidden = who.hidden && what.hidden;
  };
  // What was said is fetched and shown, unless somebody is about to say something there: they are only told.
  const refresh = async () => {
    const section = document.getElementById("comments");
    const busy = () => section.contains(document.activeElement)
      || Array.from(section.querySelectorAll("textarea")).some((area) => area.value !== area.defaultValue);
    if (!section || busy()) return;
    const answer = await fetch(location.pathname, { credentials: "same-origin" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("comments");
    if (fresh && !busy()) section.replaceWith(fresh);
  };
  const hear = (message) => {
    if (message.type === "people") {
      const names = message.people.map((person) => "\u2068" + person.name + "\u2069");
      if (message.more) names.push(message.more + " more");
      show(who, names.length ? list(names) + (names.length > 1 ? " are" : " is") + " here." : "");
    } else if (message.type === "version") {
      known = message.version;
      show(what, "Version " + known + " was saved by \u2068" + message.by + "\u2069. ");
    } else if (message.type === "state") {
      show(what, "This document is now " + message.state.replace("_", " ") + ". ");
    } else if (message.type === "comments") {
      talk = message.mark;
      show(what, message.by ? "\u2068" + message.by + "\u2069 commented. " : "A comment was resolved or opened again. ");
      refresh();
    } else if (message.type === "changed") {
      show(what, "Something about this document has changed. ");
    }
  };
  const open = () => {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + place.dataset.live + "?since=" + known + "&talk=" + talk);
    socket.onopen = () => { pause = 1000; tries = 0; };
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = (event) => {
      show(who, "");
      if (event.code === 4401 || event.code === 4404) {
        show(what, event.code === 4401 ? "You are no longer signed in here. " : "This document is no longer open to you. ");
      } else if (++tries < 8) {
        setTimeout(open, pause + Math.random() * 1000);
        pause = Math.min(pause * 2, 30000);
      }
    };
  };
  open();
})();
