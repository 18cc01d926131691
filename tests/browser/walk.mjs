// What a new user does, in a real browser: from the setup link to the first code over REST, then every other page.
// Every step asserts what is seen; a failure ends the walk with exit code 1 and a screenshot.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { start, until } from "./server.mjs";
import * as mails from "./mails.mjs";
import { operatorSteps } from "./operators.mjs";
import { portalSteps } from "./portal.mjs";

const { chromium } = await import(process.env.PLAYWRIGHT);
const shots = process.argv[2] || "";
if (shots) await mkdir(shots, { recursive: true });

const server = await start(process.env.PILLARBOX_BIN);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const problems = [];
const foreign = [];

// Watches a page for what must never happen: a script of a message, a request elsewhere, a breach of our own policy.
function watch(page) {
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|Refused to/i.test(text) && !/Failed to load resource/.test(text)) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.origin) && !url.startsWith("data:") && !url.startsWith("blob:") && url !== "about:blank") foreign.push(url);
  });
  return page;
}

const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
const page = watch(await context.newPage());
page.setDefaultTimeout(20000);
const go = (path) => page.goto(server.origin + path);
const text = (selector) => page.locator(selector).first().innerText();
const shot = async (name, of = page) => { if (shots) await of.screenshot({ path: `${shots}/${name}.png` }); };
const seen = (selector, options) => page.locator(selector).first().waitFor(options);
const notice = async (part) => assert.match(await text("[data-notice]"), part);

const steps = [];
const step = (name, run) => steps.push([name, run]);

step("signed out, everything leads to the sign-in page, which names the way in", async () => {
  await go("/");
  assert.match(page.url(), /\/admin\/login\?next=/);
  assert.match(await text(".plain-hint"), /setup-link/);
  await shot("01-login");
  const answer = await page.request.get(`${server.origin}/admin/live`, { headers: { accept: "text/event-stream" }, maxRedirects: 0 });
  assert.equal(answer.status(), 401);
});

step("the setup link makes the first administrator; a short password keeps what was typed", async () => {
  await page.goto(server.setup);
  await shot("02-setup");
  await page.fill("#username", "ada");
  await page.fill("#password", "short");
  await page.locator("form[action='/setup']").evaluate((form) => (form.noValidate = true));
  await page.click("form[action='/setup'] button");
  await seen("#error-password");
  assert.equal(await page.inputValue("#username"), "ada");
  await page.fill("#password", "correct horse battery");
  await page.click("form[action='/setup'] button");
  await page.waitForURL(/\/admin(\?|$)/);
  await notice(/account/);
  const cookie = (await context.cookies()).find((c) => c.name === "pillarbox_session");
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && cookie.value.length >= 43);
});

step("the setup link is dead afterwards", async () => {
  const other = await browser.newContext();
  const answer = await (await other.newPage()).goto(server.setup);
  assert.equal(answer.status(), 410);
  await other.close();
});

step("the first load is light, compressed and cached for good", async () => {
  const fresh = await browser.newContext({ storageState: await context.storageState() });
  const first = watch(await fresh.newPage());
  let octets = 0;
  first.on("response", async (response) => {
    const sizes = await response.request().sizes().catch(() => null);
    if (sizes) octets += sizes.responseBodySize;
    if (response.url().includes("/static/")) assert.match(response.headers()["cache-control"], /immutable/, response.url());
  });
  await first.goto(`${server.origin}/admin`, { waitUntil: "load" });
  await first.waitForTimeout(300);
  assert.ok(octets > 50_000 && octets < 200_000, `${octets} octets`);
  console.log(`    first load: ${octets} octets`);
  await fresh.close();
});

step("one button makes the demo mailbox, and the mail that is sent appears by itself with its code", async () => {
  await shot("03-overview-first");
  await page.click("form[action='/admin/demo'] button");
  await notice(/demo/);
  assert.equal(await page.locator(".taking-done").count(), 2);
  await shot("04-overview-demo");
  await server.send(mails.code, "hello@inbox.example");
  await seen("#latest .code-chip");
  assert.equal(await text("#latest .code-chip"), "482913");
  assert.equal(await text("#tiles .tile-number"), "1");
  await page.click("#latest .row-link");
  await page.waitForURL(/\/admin\/messages\/[0-9a-f-]+$/);
  await seen("[data-reader]");
  await page.click(".reader-actions [data-act=unread]");
  await seen(".row-unread");
});

step("a message opens beside the list, is marked as read, and its code is copied", async () => {
  await go("/admin/messages");
  await seen(".row-unread");
  await page.click(".row-link");
  await seen("[data-reader]");
  assert.equal(await text(".found-value"), "482913");
  await seen(".row-item:not(.row-unread)");
  await page.click("[data-copy-code]");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "482913");
  assert.match(page.url(), /\/admin\/messages\/[0-9a-f-]+/);
  await page.reload();
  assert.equal(await text(".found-value"), "482913");
});

step("HTML mail is shown in its frame, with its inline image, and runs nothing", async () => {
  await server.send(mails.html, "hello@inbox.example");
  await page.locator(".row-item", { hasText: "Willkommen" }).first().waitFor();
  await page.locator(".row-link", { hasText: "Willkommen" }).first().click();
  await until(async () => /Willkommen/.test(await text(".reader-subject")));
  const frame = page.frameLocator("iframe.mail-frame");
  await frame.getByText("Bestätigen Sie").first().waitFor();
  const image = frame.locator("img").first();
  assert.match(await image.getAttribute("src"), /^data:image\/png;base64,/);
  assert.ok(await image.evaluate((img) => img.complete && img.naturalWidth > 0));
  assert.match(await text(".found-host"), /shop\.example/);
  await page.locator("details.evidence summary", { hasText: "How codes and links" }).click();
  await shot("05-message-html");
  await page.click(".tabs a:has-text('Headers')");
  await seen(".headers th:has-text('Subject')");
  await page.click(".tabs a:has-text('Source')");
  await page.frameLocator("iframe.mail-source").getByText("MIME-Version").first().waitFor();
  await page.click(".tabs a:has-text('Text')");
  await seen(".mail-text");
  const download = page.waitForEvent("download");
  await page.click(".attachment:has-text('terms.pdf')");
  assert.equal((await download).suggestedFilename(), "terms.pdf");
});

step("a hostile message does nothing, in the frame and opened on its own", async () => {
  await server.send(mails.hostile, "hello@inbox.example");
  await page.locator(".row-link", { hasText: "<script>" }).first().click();
  await page.frameLocator("iframe.mail-frame").getByText("harmless end").waitFor();
  await shot("06-message-hostile");
  const source = await page.locator("iframe.mail-frame").getAttribute("src");
  const alone = watch(await context.newPage());
  const answer = await alone.goto(server.origin + source);
  assert.match(answer.headers()["content-security-policy"], /sandbox/);
  assert.match(answer.headers()["content-security-policy"], /default-src 'none'/);
  await alone.waitForTimeout(300);
  assert.equal(await alone.evaluate(() => window.PWNED), undefined);
  await alone.close();
  assert.equal(await page.evaluate(() => window.PWNED), undefined);
});

step("the keys work: search, move, star, unread, help, go", async () => {
  await go("/admin/messages");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await seen("[data-reader]");
  await page.keyboard.press("s");
  await seen(".reader-actions .starred");
  await seen(".row-marks .starred");
  await page.keyboard.press("u");
  await page.keyboard.press("?");
  await seen("#help[open]");
  await shot("07-help");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.name), "q");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL(/\/admin\/domains/);
});

step("a message is deleted after a question", async () => {
  await go("/admin/messages");
  const before = await page.locator(".row-item").count();
  await page.locator(".row-link", { hasText: "<script>" }).first().click();
  await seen("[data-reader]");
  await page.keyboard.press("#");
  await seen("#dialog[open] .btn-danger");
  await shot("08-confirm");
  await page.click("#dialog .btn-danger");
  await notice(/deleted/);
  assert.equal(await page.locator(".row-item").count(), before - 1);
});

step("a domain that is none keeps the form; a good one is added, changed and deleted", async () => {
  await go("/admin/domains");
  await page.click("details.form-card > summary");
  await page.fill("#name", "not a domain");
  await page.click(".form-foot button");
  await seen("#error-name");
  assert.equal(await page.inputValue("#name"), "not a domain");
  await shot("09-domain-error");
  await page.fill("#name", "Bücher.example");
  await page.click(".form-foot button");
  await notice(/added/);
  await seen("td:has-text('bücher.example')");
  const row = page.locator("tr", { hasText: "bücher.example" });
  const rule = row.locator("details", { has: page.locator("select[name=unknown]") });
  await rule.locator("summary").click();
  await rule.locator("select[name=unknown]").selectOption("collect");
  await rule.locator("button").click();
  await notice(/changed/);
  assert.match(await page.locator("tr", { hasText: "bücher.example" }).innerText(), /Collect/);
  await shot("10-domains");
  await page.locator("tr", { hasText: "inbox.example" }).locator("button:has-text('Delete')").click();
  await page.click("#dialog .btn-danger");
  await seen(".form-alert");
  await go("/admin/domains");
  await page.locator("tr", { hasText: "bücher.example" }).locator("button:has-text('Delete')").click();
  await page.click("#dialog .btn-danger");
  await notice(/deleted/);
});

step("mailboxes are made one by one and many at once, found, and moved through the trash", async () => {
  await go("/admin/mailboxes?new=1");
  await page.fill("#address", "two words");
  await page.click("form[action='/admin/mailboxes'] .btn-primary");
  await seen("#error-address");
  assert.equal(await page.inputValue("#address"), "two words");
  await shot("11-mailbox-error");
  await page.fill("#address", "support");
  await page.fill("#note", "For people");
  await page.click("form[action='/admin/mailboxes'] .btn-primary");
  assert.match(await text("h1"), /1 mailbox created/);
  assert.ok((await text(".secret")).length >= 10);
  await go("/admin/mailboxes?new=1");
  await page.fill("#count", "60");
  await page.click("form[action='/admin/mailboxes/batch'] .btn");
  assert.match(await text("h1"), /60 mailboxes created/);
  assert.equal(await page.locator(".secret").count(), 60);
  await shot("12-mailboxes-created");
  await go("/admin/mailboxes");
  assert.equal(await page.locator("tbody tr").count(), 50);
  await page.click(".pager a");
  assert.equal(await page.locator("tbody tr").count(), 12);
  await go("/admin/mailboxes?q=support");
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.check("tbody input[type=checkbox]");
  assert.match(await text("[data-bulk-count]"), /1 selected/);
  await page.click("button[value=trash]");
  await notice(/changed/);
  await go("/admin/mailboxes");
  await page.selectOption("select[name=state]", "trashed");
  await page.waitForURL(/state=trashed/);
  assert.match(await text("tbody tr"), /support@inbox\.example/);
  await page.click("tbody a[title='Mailbox settings']");
  await page.click("button:has-text('Delete for good')");
  await page.fill("#typed", "something else");
  await page.click("#dialog .btn-danger");
  await seen("#error-typed");
  await page.fill("#typed", "support@inbox.example");
  await page.click("#confirm .btn-danger");
  await notice(/gone for good/);
  await go("/admin/mailboxes");
  await shot("13-mailboxes");
});

step("a mailbox is switched off and on, and gets an end", async () => {
  await go("/admin/mailboxes/hello@inbox.example/settings");
  await page.uncheck("[name=is_active]");
  await page.fill("#expires_on", "2031-01-31");
  await page.click("button:has-text('Save')");
  await notice(/changed/);
  await assert.rejects(server.send(mails.code, "hello@inbox.example"), /5\.2\.1/);
  assert.equal(await page.inputValue("#expires_on"), "2031-01-31");
  await shot("14-mailbox-settings");
  await page.check("[name=is_active]");
  await page.click("button:has-text('Save')");
  await server.send(mails.code, "hello@inbox.example");
});

step("a key is shown once, reads the code over REST, and is refused once revoked", async () => {
  await go("/admin/api-keys?new=1");
  await page.fill("#name", "ci-tests");
  await page.check("input[value=tester]");
  await shot("15-key-form");
  await page.click("form[action='/admin/api-keys'] .btn-primary");
  const key = await text("#new-key");
  assert.match(key, /^sk_live_\w{8}\.\w{32}$/);
  await shot("16-key-created");
  const ask = () => fetch(`${server.origin}/api/v1/admin/verification-code?mailbox=hello@inbox.example`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await (await ask()).json()).data.code, "482913");
  await go("/admin/api-keys");
  assert.ok(!(await page.content()).includes(key.slice(17)));
  await shot("17-keys");
  await page.click("button:has-text('Revoke')");
  await page.click("#dialog .btn-danger");
  await notice(/revoked/);
  assert.equal((await ask()).status, 401);
  await page.click("button:has-text('Delete')");
  await page.click("#dialog .btn-danger");
  await notice(/deleted/);
});

step("the audit log has it all and can be filtered", async () => {
  await go("/admin/audit-log");
  assert.match(await text("tbody"), /api_key\.delete/);
  await shot("18-audit-log");
  await page.fill("[name=action]", "mailbox.purge");
  await page.click(".filters button");
  assert.equal(await page.locator("tbody tr").count(), 1);
});

step("requests without the token, or from elsewhere, change nothing", async () => {
  await go("/admin/domains");
  const post = (headers, fields) => page.request.post(`${server.origin}/admin/domains`, { headers, form: fields, maxRedirects: 0 });
  assert.equal((await post({}, { name: "forged.example" })).status(), 403);
  const csrf = await page.inputValue("input[name=csrf] >> nth=0").catch(() => page.locator("input[name=csrf]").first().getAttribute("value"));
  assert.equal((await post({ origin: "http://evil.example" }, { name: "forged.example", csrf })).status(), 403);
  assert.equal((await post({ "sec-fetch-site": "cross-site" }, { name: "forged.example", csrf })).status(), 403);
  assert.equal((await post({ "content-type": "text/plain" }, { name: "forged.example", csrf })).status(), 403);
  await page.reload();
  assert.ok(!(await page.content()).includes("forged.example"));
});

step("no route that changes something takes a request without a token", async () => {
  const sources = await Promise.all(["mod.rs", "portal/mod.rs"].map((name) => readFile(new URL(`../../src/web/${name}`, import.meta.url), "utf8")));
  const routes = sources.join("\n").matchAll(/\.route\(\s*"([^"]+)",[^\n]*post\(/g);
  const paths = [...routes].map((route) => route[1].replace(/\{[^}]*\}/g, "x"));
  assert.ok(paths.length >= 18, `${paths.length} routes`);
  for (const path of paths) {
    const answer = await page.request.post(server.origin + path, { form: { confirm: "yes" }, maxRedirects: 0 });
    assert.equal(answer.status(), 403, path);
  }
});

step("a link from another site still finds the session", async () => {
  const other = await context.newPage();
  await other.route("http://elsewhere.test/", (route) => route.fulfill({ contentType: "text/html", body: `<a href="${server.origin}/admin/domains">go</a>` }));
  await other.goto("http://elsewhere.test/");
  await other.click("a");
  await other.waitForURL(/\/admin\/domains/);
  await other.locator("h1:has-text('Domains')").waitFor();
  await other.close();
});

step("a long list goes on, and news do not take the place away", async () => {
  for (let n = 0; n < 55; n++) await server.send(mails.code.replace("482913", String(100100 + n)), "hello@inbox.example");
  await go("/admin/mailboxes/hello@inbox.example");
  assert.equal(await page.locator(".row-item").count(), 50);
  await page.click("[data-more]");
  await until(async () => (await page.locator(".row-item").count()) > 55);
  const before = await page.locator(".row-item").count();
  await server.send(mails.code, "hello@inbox.example");
  await page.click(".toast-line button");
  await until(async () => (await page.locator(".row-item").count()) === 50);
  assert.ok(before > 55);
});

operatorSteps({ step, page, go, text, seen, notice, shot, until, server, browser });
portalSteps({ step, browser, server, page, go, text, seen, notice, shot, watch });

step("dark, Chinese, and as small as a phone", async () => {
  await server.send(mails.chinese, "hello@inbox.example");
  await go("/admin/messages");
  await page.click("details[data-menu] summary");
  await page.click("button[name=theme][value=dark]");
  await page.waitForLoadState();
  assert.equal(await page.getAttribute("html", "data-bs-theme"), "dark");
  await page.locator(".row-link").first().click();
  await seen("[data-reader]");
  assert.equal(await text(".found-value"), "739204");
  await page.waitForTimeout(400);
  await shot("19-dark-message");
  await go("/admin");
  await shot("20-dark-overview");
  await go("/admin/mailboxes?new=1");
  await shot("21-dark-mailboxes");
  await page.click("details[data-menu] summary");
  await page.click("button[name=language][value=zh-CN]");
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  assert.match(await text("h1"), /邮箱/);
  await shot("22-chinese-dark-mailboxes");
  await page.click("details[data-menu] summary");
  await page.click("button[name=theme][value=light]");
  await go("/admin/messages");
  await page.locator(".row-link").first().click();
  await seen("[data-reader]");
  await page.waitForTimeout(400);
  await shot("23-chinese-message");
  await page.setViewportSize({ width: 390, height: 844 });
  await shot("24-phone-message");
  await page.keyboard.press("Escape");
  await shot("25-phone-list");
  for (const [name, path] of [["26-phone-overview", "/admin"], ["27-phone-mailboxes", "/admin/mailboxes"], ["28-phone-keys", "/admin/api-keys?new=1"], ["29-phone-audit", "/admin/audit-log"]]) {
    await go(path);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
    await shot(name);
  }
  await page.setViewportSize({ width: 1360, height: 860 });
  await go("/admin");
  await page.click("details[data-menu] summary");
  await shot("30-menu");
  await page.click("button[name=language][value=en]");
});

step("everything works without scripts, too", async () => {
  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 800 } });
  const quiet = await plain.newPage();
  quiet.setDefaultTimeout(20000);
  await quiet.goto(`${server.origin}/admin/mailboxes`);
  await quiet.fill("#username", "ada");
  await quiet.fill("#password", "wrong password");
  await quiet.click(".plain-card button");
  assert.match(await quiet.locator(".form-alert").innerText(), /do not match/);
  await quiet.fill("#password", "correct horse battery");
  await quiet.click(".plain-card button");
  await quiet.waitForURL(/\/admin\/mailboxes$/);
  await quiet.click("details.form-card > summary");
  await quiet.fill("#address", "noscript");
  await quiet.click("form[action='/admin/mailboxes'] .btn-primary");
  await quiet.locator(".secret").waitFor();
  await quiet.goto(`${server.origin}/admin/messages`);
  await quiet.click(".row-link >> nth=0");
  await quiet.click(".reader-actions [data-act=star]");
  await quiet.locator(".reader-actions .starred").waitFor();
  await shot("31-no-script", quiet);
  await quiet.click(".reader-actions [data-act=delete]");
  await quiet.click("#confirm .btn-danger");
  assert.match(await quiet.locator("[data-notice]").innerText(), /deleted/);
  await plain.close();
});

step("a new password ends the other sessions, signing out ends this one", async () => {
  const other = await browser.newContext();
  await other.addCookies([{ name: "pillarbox_session", value: "preset".repeat(8), url: server.origin }]);
  const second = await other.newPage();
  await second.goto(`${server.origin}/admin`);
  await second.fill("#username", "ada");
  await second.fill("#password", "correct horse battery");
  await second.click(".plain-card button");
  await second.waitForURL(/\/admin$/);
  const [own] = (await other.cookies()).filter((c) => c.name === "pillarbox_session");
  assert.ok(!own.value.startsWith("preset"), "signing in makes a new session");
  await go("/admin/account");
  await shot("32-account");
  await page.fill("#old_password", "wrong one here");
  await page.fill("#new_password", "another good password");
  await page.click("form[action='/admin/account'] button");
  await seen("#error-old_password");
  await page.fill("#old_password", "correct horse battery");
  await page.fill("#new_password", "another good password");
  await page.click("form[action='/admin/account'] button");
  await notice(/password is changed/);
  await second.reload();
  assert.match(second.url(), /\/admin\/login/);
  await other.close();
  const [session] = (await context.cookies()).filter((c) => c.name === "pillarbox_session");
  const stream = fetch(`${server.origin}/admin/live`, { headers: { cookie: `pillarbox_session=${session.value}` } }).then((answer) => answer.text());
  await page.click("details[data-menu] summary");
  await page.click("form[action='/admin/logout'] button");
  await page.waitForURL(/\/admin\/login/);
  const old = await fetch(`${server.origin}/admin`, { headers: { cookie: `pillarbox_session=${session.value}` }, redirect: "manual" });
  assert.equal(old.status, 303);
  const late = new Promise((done) => setTimeout(() => done("still open"), 9000));
  assert.notEqual(await Promise.race([stream, late]), "still open", "the stream ends with the session");
});

step("every answer has the strict headers, errors too", async () => {
  for (const path of ["/", "/admin/login", "/admin/nothing", "/static/nothing", "/static/app.css", "/setup?token=x"]) {
    const answer = await fetch(server.origin + path, { redirect: "manual" });
    assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/, path);
    assert.ok(!/unsafe/.test(answer.headers.get("content-security-policy")), path);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer", path);
    assert.equal(answer.headers.get("cross-origin-opener-policy"), "same-origin", path);
  }
});

step("wrong passwords are slowed down, with the same words for a name that is unknown", async () => {
  await go("/admin/login");
  const said = new Set();
  for (const name of ["ada", "nobody", "ada", "nobody"]) {
    await page.fill("#username", name);
    await page.fill("#password", "wrong");
    await page.click(".plain-card button");
    said.add(await text(".form-alert"));
  }
  assert.equal(said.size, 1);
  await until(async () => {
    await page.fill("#username", "ada");
    await page.fill("#password", "wrong");
    await page.click(".plain-card button");
    return /Wait \d+ second/.test(await text(".form-alert"));
  }, 30_000);
  await shot("33-throttled");
});

step("the server stops soon, although a page listens for news", async () => {
  await page.waitForTimeout(1500);
  const listening = await browser.newContext();
  const last = await listening.newPage();
  await last.goto(`${server.origin}/admin`);
  await until(async () => {
    await last.fill("#username", "ada");
    await last.fill("#password", "another good password");
    await last.click(".plain-card button");
    return /\/admin$/.test(last.url());
  }, 60_000);
  await last.waitForTimeout(500);
  const took = await server.stop();
  stopped = true;
  assert.ok(took < 5000, `${took} ms`);
});

let failed = 0;
let stopped = false;
try {
  for (const [name, run] of steps) {
    const began = Date.now();
    try {
      await run();
      assert.deepEqual(problems, []);
      assert.deepEqual(foreign, []);
      console.log(`ok    ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error.stack}`);
      console.log(`      at ${page.url()}`);
      await shot(`failed-${failed}`);
      problems.length = 0;
      foreign.length = 0;
      if (failed > 3 || process.env.STOP_AT_FIRST) break;
    }
  }
} finally {
  await browser.close();
  if (!stopped) await server.stop();
}
console.log(failed ? `${failed} of ${steps.length} steps failed` : `all ${steps.length} steps passed`);
process.exit(failed ? 1 : 0);
