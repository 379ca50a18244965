// A small front end to the JSON API.  The tokens live in this closure and nowhere else: no storage, no cookie, no global.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const HEADERS = ["content-type", "www-authenticate", "retry-after", "etag", "ratelimit-limit", "ratelimit-remaining",
    "ratelimit-reset", "cache-control", "x-request-id"];
  const KEPT = 20;
  const EARLY = 30; // seconds before the end at which a token is renewed
  let access = null;
  let refresh = null;
  let expires = 0; // by this page's own clock, in milliseconds
  let ticking = 0;
  let renewing = null;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  async function call(method, path, { body, bearer } = {}) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (bearer) headers.Authorization = `Bearer ${bearer}`;
    const started = performance.now();
    try {
      const answer = await fetch(path, {
        method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "omit", cache: "no-store",
      });
      const text = await answer.text();
      let data = null;
      try { data = JSON.parse(text); } catch { /* an answer that is not JSON is shown as it came */ }
      return { method, path, status: answer.status, words: answer.statusText, headers: answer.headers, text, data, took: performance.now() - started };
    } catch {
      return { method, path, status: 0, words: "No answer", headers: new Headers(), text: "The server could not be reached.", data: null, took: performance.now() - started };
    }
  }

  // What is shown can be pointed at, photographed and shared, so tokens in it are cut short.
  const shown = (data) => JSON.stringify(data, (key, value) => (/_token$/.test(key) && typeof value === "string" ? `${value.slice(0, 8)}… (${value.length} characters)` : value), 2);

  function show(answer) {
    const box = element("article", undefined, "answer");
    const shape = answer.status >= 200 && answer.status < 300 ? "✓" : "✕";
    box.append(element("h3", `${shape} ${answer.status || ""} ${answer.words}`.replace(/\s+/g, " ").trim()));
    box.append(element("p", `${answer.method} ${answer.path}, ${Math.round(answer.took)} ms`, "small"));
    const facts = element("dl", undefined, "facts tight");
    for (const name of HEADERS) {
      const value = answer.headers.get(name);
      if (value !== null) facts.append(element("dt", name), element("dd", value));
    }
    if (facts.childElementCount) box.append(facts);
    const body = answer.data === null ? answer.text : shown(answer.data);
    if (body) {
      const pre = element("pre", body);
      pre.tabIndex = 0;
      box.append(pre);
    }
    const list = byId("answers");
    list.prepend(box);
    while (list.childElementCount > KEPT) list.lastElementChild.remove();
    byId("no-answers").hidden = true;
    byId("said").textContent = `${answer.method} ${answer.path} answered ${answer.status || "nothing"} ${answer.words}`;
  }

  function decode(token) {
    try {
      const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return null;
    }
  }

  function describe() {
    const list = byId("claims");
    list.replaceChildren();
    const claims = decode(access);
    if (!claims) {
      list.append(element("dt", "claims"), element("dd", "This token cannot be read by its holder."));
      return;
    }
    for (const [name, value] of Object.entries(claims)) {
      let text = typeof value === "string" ? value : JSON.stringify(value);
      if (["exp", "iat", "nbf", "auth_time"].includes(name) && Number.isFinite(value)) text = `${value} (${new Date(value * 1000).toLocaleTimeString()})`;
      list.append(element("dt", name), element("dd", text));
    }
  }

  function keep(data) {
    access = data.access_token;
    refresh = data.refresh_token || refresh;
    expires = performance.now() + data.expires_in * 1000;
    byId("renewal").textContent = refresh ? "it renews itself shortly before." : "then sign in again.";
    byId("renew").hidden = !refresh;
    describe();
    byId("token").hidden = false;
    clearInterval(ticking);
    ticking = setInterval(tick, 1000);
    tick();
  }

  function forget() {
    access = refresh = null;
    clearInterval(ticking);
    byId("claims").replaceChildren();
    byId("token").hidden = true;
  }

  function tick() {
    const left = Math.max(0, Math.round((expires - performance.now()) / 1000));
    byId("clock").textContent = String(left);
    if (refresh && left <= EARLY) renew();
    else if (left === 0) forget();
  }

  // One renewal at a time: a refresh token is good for one use, and using it twice ends the whole family.
  function renew() {
    renewing ??= (async () => {
      const given = refresh;
      const answer = await call("POST", "/api/v1/auth/refresh", { body: { refresh_token: given } });
      show(answer);
      if (refresh !== given) return; // signed out meanwhile
      if (answer.status === 200 && answer.data) keep(answer.data);
      else if (answer.status === 400 || answer.status === 401 || answer.status === 403) forget();
    })().finally(() => setTimeout(() => { renewing = null; }, 5000));
    return renewing;
  }

  byId("sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter || event.target.querySelector("[type=submit]");
    button.disabled = true;
    const answer = await call("POST", "/api/login", { body: { email: byId("email").value, password: byId("password").value } });
    button.disabled = false;
    show(answer);
    if (answer.status === 200 && answer.data) {
      byId("password").value = "";
      keep(answer.data);
    }
  });

  for (const button of document.querySelectorAll("[data-call]")) {
    button.addEventListener("click", async () => show(await call("GET", button.dataset.call, { bearer: access })));
  }

  byId("renew").addEventListener("click", () => { if (refresh) renew(); });
  byId("sign-out").addEventListener("click", async () => {
    const ending = refresh || access;
    forget();
    show(await call("POST", "/api/v1/auth/revoke", { body: { token: ending } }));
    byId("email").focus();
  });

  byId("console").hidden = false;
})();
