// Small comforts for pages that work without them: show a password, count words, warn before losing a text.
"use strict";

(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  // Screen readers and keyboards land on what is wrong.
  const problems = document.querySelector("[data-focus]");
  if (problems) problems.focus();

  for (const button of all("[data-reveal]")) {
    const input = document.getElementById(button.dataset.reveal);
    const label = document.querySelector(`label[for="${input.id}"]`).textContent.trim().toLowerCase();
    const say = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", `${shown ? "Hide" : "Show"} ${label}`);
    };
    say(false);
    button.hidden = false;
    button.addEventListener("click", () => say(input.type === "password"));
    // Never leave a shown password for the browser to remember as ordinary text.
    if (input.form) input.form.addEventListener("submit", () => say(false));
  }

  for (const place of all("[data-count]")) {
    const area = document.getElementById(place.dataset.count);
    const words = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
    const count = (text) => {
      // Segmenting is exact for scripts without spaces, but slow on very long texts.
      if (!words || text.length > 60000) return (text.match(/\S+/g) || []).length;
      let total = 0;
      for (const part of words.segment(text)) if (part.isWordLike) total += 1;
      return total;
    };
    let waiting = 0;
    const show = () => {
      const total = count(area.value);
      place.textContent = `${total.toLocaleString("en")} ${total === 1 ? "word" : "words"}`;
    };
    show();
    place.hidden = false;
    area.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 300);
    });
  }

  // What is copied is what is seen: hidden characters have marks in their place, and the marks go along.
  if (navigator.clipboard) for (const block of all(".prose pre")) {
    const frame = document.createElement("div"), button = document.createElement("button"), told = document.createElement("span");
    frame.className = "code";
    block.replaceWith(frame);
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy this block");
    told.className = "unseen";
    told.setAttribute("role", "status");
    frame.append(block, button, told);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.innerText);
        button.textContent = told.textContent = "Copied";
      } catch {
        button.textContent = told.textContent = "Not copied";
      }
      setTimeout(() => { button.textContent = "Copy"; told.textContent = ""; }, 2000);
    });
  }

  // Go to the next place in a text where two versions stand between marks, and select it.
  for (const button of all("[data-marks]")) {
    const area = document.getElementById(button.dataset.marks), { mine, theirs } = button.dataset;
    button.hidden = false;
    button.addEventListener("click", () => {
      let from = area.value.indexOf(mine, area.selectionEnd);
      if (from < 0) from = area.value.indexOf(mine);
      if (from < 0) return;
      const to = area.value.indexOf(theirs, from);
      area.setSelectionRange(from, to < 0 ? from + mine.length : to + theirs.length);
      area.focus();
      // Browsers do not show what a script selected; about there it is.
      area.scrollTop = area.scrollHeight * from / area.value.length - area.clientHeight / 3;
    });
  }

  for (const form of all("form[data-guard]")) {
    const state = () => new URLSearchParams(new FormData(form)).toString();
    const before = state();
    // A page that came back with errors holds text that no server has kept yet.
    const unsaved = form.dataset.guard === "unsaved" || Boolean(problems);
    let leaving = false;
    form.addEventListener("submit", () => { leaving = true; });
    window.addEventListener("pageshow", () => { leaving = false; });
    window.addEventListener("beforeunload", (event) => {
      // A draft that the server keeps is not lost by leaving.
      if (!leaving && form.dataset.drafted !== "yes" && (unsaved || state() !== before)) event.preventDefault();
    });
    // Ctrl-S saves where saving is private; on a page that publishes it stays the browser's own.
    if ("save" in form.dataset) form.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        form.requestSubmit();
      }
    });
  }
})();
