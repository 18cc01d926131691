// The pages for operators, walked through as one of them would: users, services, settings, jobs, statistics.

import assert from "node:assert/strict";

export function operatorSteps({ step, page, go, text, seen, notice, shot, until, server, browser }) {
  const confirm = async () => { await seen("#dialog[open] .btn-danger"); await page.click("#dialog .btn-danger"); };

  step("a user gets a link that is shown once, and mailboxes", async () => {
    await go("/admin/users");
    await seen(".empty-note");
    await page.keyboard.press("n");
    await page.keyboard.type("Anna");
    await page.fill("#note", "night shift");
    await page.selectOption("#days", "90");
    await page.click("form[action='/admin/users'] .btn-primary");
    const link = await text("#new-link");
    assert.match(link, /\/\?key=xmail_user_/);
    await page.click(".snippet [data-copy] >> nth=0");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
    await shot("40-user-token");
    await page.click("a:has-text('Give mailboxes')");
    await page.fill("#addresses", "hello@inbox.example, nobody@inbox.example");
    await page.click("button:has-text('Give')");
    await seen(".results .pill-failed");
    assert.match(await text(".results"), /is the owner/);
    await shot("41-user");
    await page.click("form[action$='/token'] button");
    await seen("#dialog[open]");
    await shot("42-user-rotate");
    await confirm();
    assert.notEqual(await text("#new-link"), link);
    await go("/admin/users");
    await page.locator("a[data-open]").first().click();
    await page.click("form[action$='/delete'] button");
    assert.match(await text("#dialog p"), /mailbox stays/);
    await page.click("#dialog [data-close]");
    await go("/admin/users");
    await shot("43-users");
  });

  step("a service is made, bound to many mailboxes, and given an end", async () => {
    await go("/admin/services?new=1");
    await page.fill("#name", "Sample shop");
    await page.fill("#login_url", "https://shop.example/login");
    await page.fill("#pattern", "(");
    await shot("44-service-new");
    await page.click("form[action='/admin/services'] .btn-primary");
    await seen("#error-pattern");
    assert.equal(await page.inputValue("#name"), "Sample shop");
    await page.fill("#pattern", "");
    await page.selectOption("#alphabet", "digits");
    await page.fill("#min_length", "6");
    await page.click("form[action='/admin/services'] .btn-primary");
    await notice(/service is there/);
    await shot("45-services");
    await page.click(".tabs a:has-text('Used in')");
    await page.click("details.form-card > summary");
    await page.check("input[name=template]");
    await page.fill("#addresses", "hello@inbox.example\nnobody@inbox.example\nrubbish");
    await page.click("form[action='/admin/services/bindings'] .btn-primary");
    await seen(".pill-done");
    assert.equal(await page.locator("tbody tr").count(), 3);
    await shot("46-services-bound");
    await go("/admin/services/bindings");
    await page.click(".inline-edit summary");
    await page.fill("input[name=expires_on] >> visible=true", new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10));
    await page.click(".inline-form .btn-primary");
    await notice(/end of the service/);
    await page.selectOption("select[name=ends]", "soon");
    await page.waitForURL(/ends=soon/);
    await seen("tbody tr");
    await shot("47-bindings");
  });

  step("settings say what they are for, keep their range, and go back to their default", async () => {
    await go("/admin/settings");
    await shot("48-settings");
    await page.fill("#retention_days", "0");
    await page.locator("#settings").evaluate((form) => (form.noValidate = true));
    await page.click("#settings .btn-primary");
    await seen("#error-retention_days");
    await page.fill("#retention_days", "90");
    await page.click("#settings .btn-primary");
    await notice(/settings are changed/);
    // Somebody else is quicker.
    const other = await (await browser.newContext({ storageState: await page.context().storageState() })).newPage();
    await other.goto(`${server.origin}/admin/settings`);
    await page.fill("#trash_days", "5");
    await page.click("#settings .btn-primary");
    await notice(/settings are changed/);
    await other.fill("#audit_log_days", "30");
    await other.click("#settings .btn-primary");
    await other.locator(".form-alert").first().waitFor();
    assert.match(await other.locator("#settings").innerText(), /Now: 5/);
    await shot("49-settings-conflict", other);
    await other.context().close();
    await page.click("button[name=default][value=retention_days]");
    await notice(/settings are changed/);
    assert.equal(await page.inputValue("#retention_days"), "");
    await page.click("button[name=default][value=trash_days]");
    await page.fill("#days", "1000");
    await page.click("button[value=count]");
    assert.match(await text("#old-found"), /0 messages/);
    await page.fill("#days", "1000");
    await page.click("#old button[value=remove]");
    await seen("#confirm .btn-danger");
  });

  step("jobs are done now, and the figures show what came in", async () => {
    await go("/admin/jobs");
    await shot("50-jobs");
    await page.click("form[action$='stats.roll_up/run'] button");
    await notice(/done next/);
    await until(async () => {
      await go("/admin/statistics?span=24h");
      return Number((await text("#chart-messages .tile-number")).replace(/\D/g, "")) > 0;
    });
    assert.equal(await page.locator("#chart-messages .chart-bar").count(), 24);
    await page.waitForTimeout(300);
    await shot("51-statistics");
    await page.click(".chart-table summary");
    assert.equal(await page.locator(".chart-table tbody tr").count(), 24);
    await page.click(".spans a:has-text('30 days')");
    await page.waitForURL(/span=30d/);
    await shot("52-statistics-month");
    await go("/admin/tls-reports");
    await seen(".empty-note");
  });

  step("what is in the trash is deleted for good after a question", async () => {
    await go("/admin/mailboxes?new=1");
    await page.fill("#address", "passing");
    await page.click("form[action='/admin/mailboxes'] .btn-primary");
    await seen(".secret");
    await go("/admin/mailboxes");
    await page.check("input[name=address][value^='passing@']");
    await page.click("button[value=trash]");
    await notice(/changed/);
    await go("/admin/mailboxes?state=trashed");
    await shot("53-trash");
    await page.click("form[action='/admin/mailboxes/empty-trash'] button");
    await shot("54-trash-question");
    await confirm();
    await notice(/trash is empty/);
  });

  const pages = ["users", "services", "services/bindings", "settings", "jobs", "statistics", "api-keys?new=1", "tls-reports", "smtp-sessions", "domains/inbox.example"];

  step("these pages in dark, in Chinese and on a phone", async () => {
    const looks = [
      ["dark", { theme: "dark", language: "en" }, 1360],
      ["chinese", { theme: "light", language: "zh-CN" }, 1360],
      ["phone", { theme: "light", language: "en" }, 390],
      ["phone-chinese-dark", { theme: "dark", language: "zh-CN" }, 390],
    ];
    const choose = async (name, value) => {
      await go("/admin");
      await page.click("details[data-menu] summary");
      await page.click(`button[name=${name}][value=${value}]`);
      await page.waitForLoadState();
    };
    for (const [look, { theme, language }, width] of looks) {
      await page.setViewportSize({ width: 1360, height: 860 });
      await choose("theme", theme);
      await choose("language", language);
      await page.setViewportSize({ width, height: width > 800 ? 860 : 844 });
      for (const path of pages) {
        await go(`/admin/${path}`);
        await page.waitForTimeout(150);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} px too wide, ${look}`);
        assert.ok(!(await page.content()).includes("…</h"), `${path} lacks a text, ${look}`);
        await shot(`60-${look}-${path.replace(/\W+/g, "-")}`);
      }
      if (width < 800) {
        await page.click("details[data-menu] summary");
        await seen(".menu-pages");
        await shot(`61-${look}-menu`);
        await page.click(".menu-pages a[href='/admin/jobs']");
        await page.waitForURL(/\/admin\/jobs/);
      }
    }
    await page.setViewportSize({ width: 1360, height: 860 });
    await choose("theme", "light");
    await choose("language", "en");
  });
}
