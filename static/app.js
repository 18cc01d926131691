// The panel's own script. Every page works without it; it adds times in the reader's zone, copying, keys, dialogs and live lists.
"use strict";

document.documentElement.classList.add("js");

const body = document.body;
const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times

// The reader's own variant of the page's language, for its way to write times.
const page = document.documentElement.lang;
const language = navigator.languages.find((tag) => tag.slice(0, 2) === page.slice(0, 2)) || page;
const forms = {
  full: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }),
  date: new Intl.DateTimeFormat(language, { dateStyle: "medium" }),
  // A day by UTC is the same day wherever the reader is.
  "utc-date": new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }),
  hour: new Intl.DateTimeFormat(language, { timeStyle: "short" }),
  day: new Intl.DateTimeFormat(language, { month: "short", day: "numeric" }),
};

function showTimes(root) {
  const today = new Date().toDateString();
  const year = new Date().getFullYear();
  for (const element of all("time[datetime]", root)) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    let form = forms[element.dataset.form] || forms.full;
    if (element.dataset.form === "short") {
      form = at.toDateString() === today ? forms.hour : at.getFullYear() === year ? forms.day : forms.date;
    }
    element.textContent = form.format(at);
    element.title = forms.full.format(at);
  }
}

// Words that come and go

function toast(text, action, run) {
  const line = document.createElement("div");
  line.className = "toast-line";
  line.textContent = text;
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", () => { line.remove(); run(); });
    line.append(button);
  }
  find("#toasts").replaceChildren(line);
  setTimeout(() => line.remove(), action ? 8000 : 2200);
}

// Copying

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The clipboard's interface is there only over https and on this machine.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "skip";
    (find("dialog[open]") || body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(body.dataset.copied);
}

// Clicks

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy],[data-dismiss],[data-help],[data-close],[data-back]");
  for (const menu of all("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!target) return;
  if (target.dataset.copy !== undefined) {
    event.preventDefault();
    copy(target.dataset.copy);
  } else if (target.dataset.dismiss !== undefined) {
    find("[data-notice]")?.remove();
  } else if (target.dataset.help !== undefined) {
    find("#help").showModal();
  } else if (target.dataset.close !== undefined && target.closest("dialog")) {
    event.preventDefault();
    target.closest("dialog").close();
  } else if (target.dataset.back !== undefined && find(".main-split")) {
    event.preventDefault();
    closeReader(target.href);
  }
});

document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

// Forms that change while one fills them in

function reflect(root) {
  for (const select of all("[data-policy]", root)) {
    const target = find("[data-policy-target]", select.form);
    if (target) target.hidden = select.value !== "deliver";
  }
  const scopes = find("[data-scopes]");
  const preset = find("[data-preset]:checked");
  if (scopes && preset) scopes.toggleAttribute("data-off", preset.value !== "custom");
}

function countPicked(form) {
  const boxes = all("input[name=address]", form);
  const picked = boxes.filter((box) => box.checked).length;
  const label = find("[data-bulk-count]", form);
  label.dataset.hint ??= label.textContent;
  label.textContent = picked ? label.dataset.text.replace("{0}", picked) : label.dataset.hint;
  const every = find("[data-bulk-all]", form);
  every.checked = picked > 0 && picked === boxes.length;
  every.indeterminate = picked > 0 && picked < boxes.length;
}

document.addEventListener("change", (event) => {
  const { target } = event;
  reflect(document);
  const bulk = target.closest("[data-bulk]");
  if (bulk) {
    if (target.dataset.bulkAll !== undefined) for (const box of all("input[name=address]", bulk)) box.checked = target.checked;
    countPicked(bulk);
  }
  if (target.tagName === "SELECT" && target.closest("[data-autosubmit]")) target.form.requestSubmit();
});

// The message beside its list

const split = () => find(".main-split");

function markOpen() {
  const id = find("[data-reader]")?.dataset.id;
  split()?.classList.toggle("has-message", Boolean(id));
  for (const row of all("#list [data-row]")) row.classList.toggle("row-current", row.dataset.id === id);
  if (id) document.title = `${find(".reader-subject").textContent} · Pillarbox`;
}

function closeReader(href) {
  const reader = find("#reader");
  if (!reader?.dataset.id) return false;
  reader.removeAttribute("data-reader");
  reader.removeAttribute("data-id");
  reader.replaceChildren();
  if (href) history.pushState(null, "", href);
  markOpen();
  return true;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  // What is picked must not be lost to news.
  if (elt.id === "mailboxes" && find("input:checked", elt)) event.preventDefault();
  // Nor the place in a list that goes on beyond its first page.
  if (elt.id === "list" && find("[data-extended]", elt)) {
    event.preventDefault();
    toast(body.dataset.news, body.dataset.show, () => location.reload());
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target.id === "dialog-body") find("#dialog").showModal();
});

document.addEventListener("htmx:afterSettle", () => {
  showTimes(document);
  markOpen();
  reflect(document);
});

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const plain = xhr.getResponseHeader("content-type")?.startsWith("text/plain");
  toast((plain && xhr.responseText) || body.dataset.failed);
});
document.addEventListener("htmx:sendError", () => toast(body.dataset.offline));
addEventListener("popstate", () => { if (split()) location.reload(); });

// Keys

const rows = () => all("[data-row]").filter((row) => row.offsetParent !== null);
let cursor = -1;
let pendingGo = 0;

function move(step) {
  const list = rows();
  if (!list.length) return;
  const at = list.findIndex((row) => row.classList.contains("row-current"));
  cursor = Math.min(Math.max((at >= 0 ? at : cursor) + step, 0), list.length - 1);
  const row = list[cursor];
  for (const other of list) other.classList.toggle("row-current", other === row);
  row.scrollIntoView({ block: "nearest" });
  const link = find("a.row-link, a[data-open], td a", row);
  link?.focus({ preventScroll: true });
  // Beside a message that is open, moving opens the next one.
  if (find("[data-reader]") && link?.classList.contains("row-link")) link.click();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => find("[data-row].row-current :is(a.row-link, a[data-open])")?.click(),
  s: () => find("[data-act=star]")?.click(),
  u: () => find("[data-act=unread]")?.click(),
  "#": () => find("[data-act=delete]")?.click(),
  c: () => (find("[data-copy-code]") || find("[data-row].row-current .code-chip") || find(".code-chip"))?.click(),
  n: () => { const card = find("details.form-card"); if (card) { card.open = true; find("input:not([type=hidden])", card)?.focus(); } },
  "/": () => find("[data-search]")?.focus(),
  "?": () => find("#help")?.showModal(),
  Escape: () => { const back = find("[data-back]"); if (back) closeReader(back.href); },
  g: () => { pendingGo = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (find("dialog[open]")) return;
  if (Date.now() - pendingGo < 1500 && event.key !== "g") {
    pendingGo = 0;
    const link = find(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); location.assign(link.href); }
    return;
  }
  const run = keys[event.key];
  if (!run || (event.key === "Enter" && event.target.closest("a, button, summary"))) return;
  event.preventDefault();
  run();
});

// Live arrival

let source;
let arrivals = 0;

function listen() {
  source?.close();
  source = new EventSource(find("[data-live]").dataset.live);
  // What arrived since the page was made, or while the line was down, is not told of.
  source.addEventListener("open", () => body.dispatchEvent(new CustomEvent("live")));
  source.addEventListener("arrival", () => {
    body.dispatchEvent(new CustomEvent("live"));
    const badge = find("[data-arrivals]");
    if (badge && !find("#list")) {
      arrivals += 1;
      badge.textContent = arrivals;
      badge.hidden = false;
    }
  });
}

// A browser has few connections for all its tabs, so only the one that is looked at holds one.
function live() {
  if (!document.hidden) listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
    } else {
      listen();
      body.dispatchEvent(new CustomEvent("live"));
    }
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

// Start

showTimes(document);
reflect(document);
markOpen();
if (find("[data-notice]")) {
  const url = new URL(location.href);
  url.searchParams.delete("done");
  history.replaceState(null, "", url);
}
find("details.form-card[open] .field-error")?.previousElementSibling?.focus?.();
if (find("[data-live]") && typeof EventSource === "function") live();
