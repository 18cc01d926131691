// The page of a mailbox in the panel, and the portal: what an administrator sets up there, and what a reader then does.

import assert from "node:assert/strict";
import { until } from "./server.mjs";
import * as mails from "./mails.mjs";

export function portalSteps({ step, browser, server, page, go, text, seen, notice, shot, watch }) {
  const settings = "/admin/mailboxes/hello@inbox.example/settings";
  const size = { width: 1360, height: 860 };
  let link = "";
  let password = "";
  let userLink = "";

  // A reader with a browser of its own.
  async function reader(options = {}) {
    const context = await browser.newContext({ viewport: size, locale: "en-GB", ...options });
    const own = watch(await context.newPage());
    own.setDefaultTimeout(20000);
    return { context, own };
  }

  step("on a mailbox's page a link, a password, a service and an owner are set", async () => {
    await go("/admin/api-keys?new=1");
    await page.fill("#name", "portal");
    await page.check("input[value=full]");
    await page.click("form[action='/admin/api-keys'] .btn-primary");
    const authorization = `Bearer ${await text("#new-key")}`;
    const api = async (path, body) => {
      const headers = { authorization, "content-type": "application/json" };
      const answer = await fetch(`${server.origin}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      assert.equal(answer.status, 200);
      return (await answer.json()).data;
    };
    userLink = (await api("/users", { name: "Anna" })).link;
    await api("/users", { name: "Bert", note: "support" });
    await api("/mailboxes", { address: "team@inbox.example" });

    await go(settings);
    await page.selectOption("#user_id", { label: "Anna" });
    await page.click("#people form[action$='/owner']:has(select) .btn");
    await notice(/has its owner/);
    assert.equal(await text("#owner"), "Anna");

    if (!(await page.isVisible("#service_name"))) await page.click("#services .plain-more summary");
    await page.fill("#service_name", "Reading Room");
    await page.fill("#service_ends_on", "2031-01-31");
    await page.fill("#login_url", "https://shop.example/login");
    await page.click("#services .plain-more form .btn");
    await notice(/bound/);

    await page.fill("#link_note", "Auditor");
    await page.selectOption("#expires_in_hours", "24");
    await page.click("#links .btn:has-text('Make a link')");
    link = await text("#secret");
    assert.match(link, /\/\?link=[\w-]{43}$/);
    await shot("40-link-created");
    await page.click(".btn-primary");
    assert.match(await text("#links"), /Auditor/);
    await page.click("#password-card form[action$='/password'] .btn");
    password = await text("#secret");
    assert.equal(password.length, 12);
    await go(settings);
    await page.click("#password-card form[action$='/reveal'] .btn");
    assert.equal(await text("#secret"), password);

    await go("/admin/mailboxes/team@inbox.example/settings");
    await page.click("#people button[value=yes]");
    for (const name of ["Anna", "Bert · support"]) {
      await page.selectOption("#user_id", { label: name });
      await page.click("#people form[action$='/members'] .btn");
      await notice(/sees the mailbox now/);
    }
    assert.equal(await page.locator("#members li").count(), 2);
    await shot("41-mailbox-shared");
    await go(settings);
    await shot("42-mailbox-page");
  });

  step("a user's link opens the portal, and its token is nowhere to be seen", async () => {
    const { context, own } = await reader();
    await own.goto(userLink);
    await own.waitForURL(/\/portal$/);
    assert.ok(!(await own.content()).includes("xmail_user_"));
    const cookie = (await context.cookies()).find((c) => c.name === "pillarbox_portal");
    assert.ok(cookie.httpOnly && cookie.sameSite === "Lax");
    await own.locator("h2:has-text('Reading Room')").waitFor();
    // One under each of its services, and the shared one.
    assert.equal(await own.locator("#mailboxes tbody tr").count(), 3);
    await shot("43-portal-mailboxes", own);
    await own.click("#mailboxes a:has-text('hello@inbox.example') >> nth=0");
    await own.waitForURL(/\/portal\/mailboxes\/hello@inbox\.example$/);
    await server.send(mails.code.replace("482913", "771204"), "hello@inbox.example");
    await own.locator(".row-item .code-chip:has-text('771204')").waitFor();
    await own.locator(".row-link").first().click();
    await own.locator("[data-reader]").waitFor();
    assert.equal(await own.locator(".found-value").innerText(), "771204");
    await own.waitForTimeout(300);
    await shot("44-portal-message", own);
    await own.keyboard.press("s");
    await own.locator(".reader-actions .starred").waitFor();
    await own.keyboard.press("g");
    await own.keyboard.press("b");
    await own.waitForURL(/\/portal$/);
    await own.click("#mailboxes a[title='About this mailbox'] >> nth=0");
    await own.click("button:has-text('Show the password')");
    assert.equal(await own.locator("#mailbox-password").innerText(), password);
    await shot("45-portal-about", own);
    await own.goto(`${server.origin}/portal/messages?q=code`);
    assert.ok((await own.locator(".row-item").count()) > 0);
    await own.goto(`${server.origin}/admin`);
    assert.match(own.url(), /\/admin\/login/);
    await context.close();
  });

  step("a link from another site to a page of the portal finds the session", async () => {
    const { context, own } = await reader();
    await own.goto(userLink);
    const other = await context.newPage();
    await other.route("http://elsewhere.test/", (route) => route.fulfill({ contentType: "text/html", body: `<a href="${link}">go</a>` }));
    await other.goto("http://elsewhere.test/");
    await other.click("a");
    await other.waitForURL(/\/portal\/mailboxes\/hello@inbox\.example$/);
    await context.close();
  });

  step("a link's holder reads one mailbox, changes nothing, and is out once it is revoked", async () => {
    const { context, own } = await reader();
    await own.goto(link);
    await own.waitForURL(/\/portal\/mailboxes\/hello@inbox\.example$/);
    await own.locator(".row-link").first().click();
    await own.locator("[data-reader]").waitFor();
    assert.equal(await own.locator("[data-act]").count(), 0);
    await shot("46-portal-link", own);
    await go(settings);
    await page.click("#links .btn-quiet-danger");
    await page.click("#dialog .btn-danger");
    await notice(/revoked/);
    await own.reload();
    assert.match(own.url(), /\/portal\/login/);
    await own.goto(link);
    await own.locator(".advice").waitFor();
    await shot("47-portal-revoked", own);
    await context.close();
  });

  step("an address and its password sign in, without scripts as well", async () => {
    const { context, own } = await reader({ javaScriptEnabled: false });
    await own.goto(`${server.origin}/portal`);
    await shot("48-portal-login", own);
    await own.fill("#address", "hello@inbox.example");
    await own.fill("#password", "wrong password");
    await own.click(".plain-card .btn-primary");
    assert.match(await own.locator(".form-alert").innerText(), /do not match/);
    await own.fill("#password", password);
    await own.click(".plain-card .btn-primary");
    await own.waitForURL(/\/portal\/mailboxes\/hello@inbox\.example$/);
    await own.click(".row-link >> nth=0");
    await own.locator(".found-value, .mail-text, .mail-frame").first().waitFor();
    const marked = await own.locator(".reader-actions .starred").count();
    await own.click(".reader-actions [data-act=star]");
    await until(async () => (await own.locator(".reader-actions .starred").count()) !== marked);
    await own.click(".reader-actions [data-act=delete]");
    await own.click("#confirm .btn-danger");
    assert.match(await own.locator("[data-notice]").innerText(), /deleted/);
    await own.click("details[data-menu] summary");
    await own.click("form[action='/portal/logout'] button");
    await own.waitForURL(/\/portal\/login/);
    await context.close();
  });

  step("the portal in the dark, in Chinese, and on a phone", async () => {
    const { context, own } = await reader({ viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "zh-CN" });
    await own.goto(userLink);
    const checked = async (name, address) => {
      if (address) await own.goto(server.origin + address);
      const overflow = await own.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${own.url()} is ${overflow} px too wide`);
      await own.waitForTimeout(200);
      await shot(name, own);
    };
    assert.equal(await own.getAttribute("html", "lang"), "zh-CN");
    await checked("49-phone-dark-portal");
    await checked("50-phone-dark-list", "/portal/mailboxes/hello@inbox.example");
    await own.locator(".row-link").first().click();
    await own.locator("[data-reader]").waitFor();
    await checked("51-phone-dark-message");
    await checked("52-phone-dark-about", "/portal/mailboxes/hello@inbox.example/about");
    await own.setViewportSize(size);
    await checked("53-chinese-dark-portal", "/portal");
    await own.click("details[data-menu] summary");
    await own.click("button[name=theme][value=light]");
    await own.waitForLoadState();
    assert.equal(await own.getAttribute("html", "data-bs-theme"), "light");
    await checked("54-chinese-portal");
    await context.close();
    await page.setViewportSize({ width: 390, height: 844 });
    await go(settings);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${settings} is ${overflow} px too wide`);
    if (shots()) await page.screenshot({ path: shots("55-phone-mailbox-page"), fullPage: true });
    await page.setViewportSize(size);
  });

  function shots(name) {
    const folder = process.argv[2];
    return folder ? `${folder}/${name}.png` : "";
  }
}
