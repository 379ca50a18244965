// Files on their way to a document: how far each one is, and pictures pasted or dropped into a text.
"use strict";

(() => {
  const LARGEST = 25 * 1024 * 1024;
  const WORDS = {
    403: "You are signed out, or this page is too old. Save your text: you get it back once you have signed in, and can attach then.",
    404: "This document is no longer open to you.", 409: "This document takes no more files.",
    413: "This file is too large. At most 25 MB: make it smaller, or keep it elsewhere and link to it.",
    429: "Too many at once. Wait a minute, then try again.", 0: "The connection was lost. Try again once it is back.",
  };
  const why = (request) => (request.response && request.response.detail) || WORDS[request.status]
    || (request.status < 500 ? WORDS[403] : "The site is in trouble. Try again in a minute.");
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  // One file: a line that says how it stands, with a button to stop it or to try once more.
  const carry = (list, path, token, file, name, ended) => {
    const line = element("li", "", list);
    const title = element("bdi", name, line), bar = element("progress", "", line), said = element("span", "", line);
    const button = element("button", "Stop", line);
    button.type = "button";
    button.className = "plain";
    said.setAttribute("role", "status");
    bar.max = 1;
    bar.setAttribute("aria-label", name);
    let request = null;
    const stopped = (words) => {
      request = null;
      bar.hidden = true;
      line.dataset.state = "lost";
      said.textContent = `Not attached. ${words}`;
      button.textContent = "Try again";
      ended(null);
    };
    const start = () => {
      if (file.size > LARGEST) {
        stopped(WORDS[413]);
        button.remove();
        return;
      }
      const data = new FormData();
      data.set("form_token", token);
      data.set("file", file, name);
      request = new XMLHttpRequest();
      request.responseType = "json";
      request.upload.onprogress = (event) => {
        if (!event.lengthComputable) return;
        bar.value = event.loaded / event.total;
        said.textContent = event.loaded < event.total ? `${Math.floor(bar.value * 100)} %` : "Nearly done …";
      };
      request.onload = (event) => {
        if (event.target.status !== 201) {
          stopped(why(event.target));
          return;
        }
        const made = event.target.response;
        delete line.dataset.state;
        bar.hidden = true;
        button.remove();
        title.textContent = made.name;
        said.textContent = /^image\//.test(file.type) && !made.picture
          ? "Attached as a download: it is no picture that can be shown." : "Attached.";
        ended(made);
      };
      request.onerror = request.ontimeout = (event) => stopped(why(event.target));
      request.onabort = () => stopped("You stopped it.");
      request.open("POST", path);
      request.send(data);
      delete line.dataset.state;
      bar.hidden = false;
      bar.removeAttribute("value");
      said.textContent = "On its way …";
      button.textContent = "Stop";
    };
    button.addEventListener("click", () => {
      if (request) request.abort();
      else start();
    });
    start();
  };

  const upload = document.querySelector("form[data-upload]");
  if (upload) upload.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = upload.elements.file, list = upload.querySelector("[data-uploads]");
    for (const file of input.files) carry(list, upload.dataset.upload, upload.elements.form_token.value, file, file.name, async (made) => {
      if (!made) return;
      const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
      if (!answer || !answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-files]");
      if (fresh) document.querySelector("[data-files]").replaceWith(fresh);
    });
    input.value = "";
  });

  const form = document.querySelector("form[data-attach]");
  if (!form || !form.elements.body) return;
  const area = form.elements.body, tools = form.querySelector("[data-attaching]");
  const list = tools.querySelector("[data-uploads]"), input = tools.querySelector("input");
  const stamp = () => new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");

  // Put words where others stand; the cursor stays with the words it stood at, and undoing goes on working.
  const put = (from, to, words) => {
    const { selectionStart: start, selectionEnd: end } = area, longer = words.length - (to - from);
    const moved = (at) => (at >= to ? at + longer : Math.min(at, from + words.length));
    if (document.activeElement === area) {
      area.setSelectionRange(from, to);
      if (!document.execCommand(words ? "insertText" : "delete", false, words)) area.setRangeText(words, from, to);
    } else {
      area.setRangeText(words, from, to);
    }
    area.setSelectionRange(moved(start), moved(end));
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let number = 0;
  const take = (files) => {
    for (const file of files) {
      const name = file.name && file.name !== "image.png" ? file.name : `Picture ${stamp()}.png`;
      const mark = `[… ${name.replace(/[[\]\n]/g, "")} (${++number}) …]`;
      put(area.selectionStart, area.selectionEnd, mark);
      carry(list, form.dataset.attach, form.elements.form_token.value, file, name, (made) => {
        const at = area.value.indexOf(mark);
        if (at >= 0) put(at, at + mark.length, made ? made.markdown : "");
        else if (made) put(area.selectionEnd, area.selectionEnd, made.markdown);
      });
    }
  };
  area.addEventListener("paste", (event) => {
    // A spreadsheet or a word processor offers its text as a picture, too: then the text is meant.
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    take(files);
  });
  area.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    area.focus();
    take(event.dataTransfer.files);
  });
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  tools.hidden = false;
})();
