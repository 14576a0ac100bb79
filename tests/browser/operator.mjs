// Does at /operator/ what an operator does there, in a real Chromium, against a server in sandbox mode with an empty database, and with a
// real receiver that fails when it is told to.
//
// Run by scripts/browser-test as `node --test-reporter=spec operator.mjs ORIGIN`. Fails on every request that leaves the server, on every
// error in the browser's console (the policy of the pages among them), and when there is no browser. Screenshots are written beside it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ORIGIN = new URL(process.argv[2] ?? assert.fail('usage: node operator.mjs http://127.0.0.1:PORT')).origin;
const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'&';

const CONDUIT = { 'X-API-Key': 'sandbox-key', 'X-API-Secret': 'sandbox-secret', 'Content-Type': 'application/json' };
const EQUALS_MONEY = { Authorization: 'ApiKey sandbox-key', 'Content-Type': 'application/json' };
const OPERATOR = { Authorization: 'Bearer sandbox-operator', 'Content-Type': 'application/json' };
const CLIENT = 'client_2ofTA13AD0xBtbEvBl20aEb1hEu';

let browser;
let receiver;
let url;
let reply = [204, ''];

async function call(method, path, headers, body) {
  const answer = await fetch(ORIGIN + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const publish = (type) => call('POST', '/operator/v1/events', OPERATOR, { provider: 'conduit', type, clientId: CLIENT });

/** Waits until the deliveries that a query finds are as wanted. */
async function until(query, wanted) {
  for (let tries = 0; tries < 600; tries += 1) {
    const { data } = await call('GET', `/operator/v1/deliveries?${query}`, OPERATOR);
    if (wanted(data)) return data;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`never came: ${query}`);
}

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(reply[0], { 'X-Request-Id': HOSTILE }).end(reply[1]));
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${receiver.address().port}/hooks/ledger`;
  await call('POST', '/conduit/webhooks', CONDUIT, { url, status: 'enabled', events: ['transaction.completed', 'customer.created'] });
  await call('POST', '/equals-money/v2/webhooks', EQUALS_MONEY, {
    url: 'http://127.0.0.1:9/nobody', enabled: true, webhookEventTypeName: 'BoxCredited', accountId: 'F12345',
  });
  for (let count = 0; count < 20; count += 1) await publish('transaction.completed');
  await until('state=delivered&limit=1000', (found) => found.length >= 20);
  reply = [503, `upstream is restarting ${HOSTILE}`];
  await publish('customer.created');
  await call('POST', '/operator/v1/events', OPERATOR, { provider: 'equals-money', type: 'BoxCredited', accountId: 'F12345' });
  await until('outcome=failure', (found) => found.length >= 2);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync',
      '--disable-component-update', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
});

after(async () => {
  await browser?.close();
  receiver?.close();
});

/** A test with a fresh profile that is not signed in. */
function visiting(title, steps, options = {}) {
  test(title, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ ...DESKTOP, ...options, serviceWorkers: 'block' });
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
    page.on('console', (message) => {
      const expected = /status of (401|403|422|503)/.test(message.text());
      if (message.type() === 'error' && !expected) complaints.push(message.text());
    });
    context.on('request', (request) => {
      if (!request.url().startsWith(`${ORIGIN}/`)) complaints.push(`left the server: ${request.url()}`);
    });
    try {
      await steps(page, context);
      assert.deepEqual(complaints, []);
    } catch (error) {
      await page.screenshot({ path: `${SCREENSHOTS}operator-failed.png` }).catch(() => {});
      throw error;
    } finally {
      await context.close();
    }
  });
}

async function signIn(page, path = '/operator/') {
  await page.goto(ORIGIN + path);
  await page.getByLabel('Key of the operator API').fill('sandbox-operator');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  // The script of the page runs before its load event.
  await page.waitForLoadState('load');
}

/** Nothing is wider than the window. */
async function fits(page) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${page.url()} is ${wide} wide in a window of ${window}`);
}

visiting('A wrong key is refused, the right one leads to the page that was asked for, and signing out ends it', async (page, context) => {
  await page.goto(`${ORIGIN}/operator/deliveries?state=delivered`);
  await page.getByLabel('Key of the operator API').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This key is unknown or was revoked.').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}operator-sign-in.png` });
  await page.getByLabel('Key of the operator API').fill('sandbox-operator');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
  assert.equal(page.url(), `${ORIGIN}/operator/deliveries?state=delivered`);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/operator']);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Key of the operator API').waitFor();
  await page.goto(`${ORIGIN}/operator/webhooks`);
  await page.getByLabel('Key of the operator API').waitFor();
  assert.deepEqual(await context.cookies(), []);
});

visiting('An operator finds out in three clicks why a delivery failed', async (page) => {
  await signIn(page);
  // One: the webhook that fails. Two: its delivery. There it stands.
  await page.getByRole('link', { name: url }).first().click();
  await page.getByRole('link', { name: 'customer.created' }).click();
  const why = page.locator('.why');
  assert.match(await why.innerText(), /answered 503 Service Unavailable: the fault is on its side/);
  assert.match(await why.innerText(), /next attempt is due/);
  // What the receiver said is text, whatever it is.
  const attempt = page.locator('.timeline > li', { has: page.locator('#attempt-1') });
  await attempt.getByText(`upstream is restarting ${HOSTILE}`).waitFor();
  await attempt.getByText(HOSTILE, { exact: true }).first().waitFor();
  await attempt.getByText('conduit-signature-timestamp').waitFor();
  // Three: the signed bytes.
  await attempt.getByText('Signed bytes').click();
  assert.match(await attempt.locator('details details pre').innerText(), /^\d{10}\.\{"event":"customer\.created"/);
  await page.screenshot({ path: `${SCREENSHOTS}operator-delivery.png`, fullPage: true });
});

visiting('A retry is one click, and the page follows it by itself', async (page) => {
  // A delivery of its own: that of the other tests is sent again by itself after a minute.
  const { id: eventId } = await publish('customer.created');
  const [{ id }] = await until(`eventId=${eventId}&outcome=failure`, (found) => found.length === 1);
  await signIn(page, `/operator/deliveries/${id}`);
  await page.getByText('retrying').first().waitFor();
  const attempts = await page.locator('.timeline > li').count();
  reply = [200, 'thank you'];
  // Pressed while the page gets its newest state, and let go after that.
  let answer;
  await new Promise((asked) => {
    page.route(page.url(), (route) => {
      if (answer || route.request().headers()['x-truehook-refresh'] !== '1') return route.continue();
      answer = () => route.continue();
      return asked();
    });
  });
  await page.getByRole('button', { name: 'Retry now' }).hover();
  await page.mouse.down();
  const refreshed = page.waitForEvent('requestfinished', (request) => request.headers()['x-truehook-refresh'] === '1');
  await answer();
  await refreshed;
  await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
  // The old page may show the result before the answer of the form takes its place.
  const loaded = page.waitForEvent('load');
  await page.mouse.up();
  await loaded;
  await page.locator('h1 .badge', { hasText: 'delivered' }).waitFor();
  await page.getByText('thank you').waitFor();
  assert.equal(await page.locator('.timeline > li').count(), attempts + 1);
  // What is opened stays open while the page is kept up to date.
  await page.locator('#attempt-1 > summary').click();
  const kept = await page.locator('#content').elementHandle();
  await page.waitForFunction((content) => !content.isConnected, kept);
  assert.equal(await page.locator('#attempt-1').evaluate((part) => part.open), true);
});

visiting('The overview shows by itself what is new', async (page) => {
  await signIn(page);
  await page.getByText('Accepted, last hour').waitFor();
  const made = () => page.locator('.figures').innerText();
  const before = await made();
  await publish('transaction.completed');
  await page.waitForFunction((old) => {
    const count = (text) => Number(/(\d+) in the last hour/.exec(text)[1]);
    return count(document.querySelector('.figures').innerText) > count(old);
  }, before);
  await page.screenshot({ path: `${SCREENSHOTS}operator-overview.png`, fullPage: true });
});

visiting('A page that cannot be refreshed says that it is out of date, until it can', async (page) => {
  await signIn(page, '/operator/deliveries');
  const refreshed = page.waitForRequest((request) => request.headers()['x-truehook-refresh'] === '1');
  await page.route('**/operator/deliveries', (route) => route.fulfill({ status: 503, body: '' }));
  await refreshed;
  const notice = page.getByText(/^Out of date since .*: the server answered 503\.$/);
  await notice.waitFor();
  await page.unroute('**/operator/deliveries');
  await notice.waitFor({ state: 'hidden' });
});

visiting('Deliveries are found by what came of them, by state, type and webhook', async (page) => {
  await signIn(page, '/operator/deliveries');
  await page.getByLabel('Last result').selectOption('failed');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/outcome=failed/);
  const failed = await page.locator('tbody tr td:first-child a').allInnerTexts();
  // That of customer.created fails until it is sent again by itself.
  assert.ok(failed.includes('BoxCredited') && !failed.includes('transaction.completed'), failed.join());
  await page.getByText('no answer: ').first().waitFor();
  await page.getByText('More').click();
  await page.getByLabel('Webhook').fill('nobody');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('No deliveries match these filters.').waitFor();
});

visiting('An event is published from the sample of its catalogue, and faults are named', async (page) => {
  await signIn(page, '/operator/publish');
  await page.getByLabel('Event type').selectOption('conduit/transaction.completed');
  await page.waitForURL(/type=conduit/);
  const payload = page.getByLabel('Payload');
  const sample = await payload.inputValue();
  assert.match(sample, /"transaction": \{/);
  await payload.fill('{"transaction": {"status": 7}}');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('/data/transaction/status: must be a string').waitFor();
  assert.equal(await payload.inputValue(), '{"transaction": {"status": 7}}');
  await page.screenshot({ path: `${SCREENSHOTS}operator-publish.png`, fullPage: true });
  await payload.fill(sample);
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('transaction.completed goes to 1 webhook.').waitFor();
  await page.getByRole('link', { name: 'Show its deliveries' }).click();
  await page.locator('tbody .badge', { hasText: 'delivered' }).waitFor();
});

visiting('An event that reaches nobody says why', async (page) => {
  await signIn(page, '/operator/publish?type=equals-money/BoxCredited');
  await page.getByLabel('Account', { exact: true }).fill('F99999');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('No webhook receives BoxCredited.').waitFor();
  await page.getByText('Other webhooks for this type: 1 is for another account.').waitFor();
});

visiting('A replay is counted first, and then done', async (page) => {
  await signIn(page, '/operator/replays');
  await page.getByRole('button', { name: 'Count only' }).click();
  await page.getByText('Choose a state, a webhook or a time').waitFor();
  await page.getByLabel('State').selectOption('delivered');
  await page.getByLabel('Provider').selectOption('conduit');
  await page.getByRole('button', { name: 'Count only' }).click();
  await page.getByText('; nothing was sent.').waitFor();
  const replay = page.getByRole('button', { name: /^Replay \d+ deliveries$/ });
  await page.screenshot({ path: `${SCREENSHOTS}operator-replay.png` });
  await replay.click();
  await page.getByText(/deliveries match; \d+ scheduled\./).waitFor();
});

visiting('A form of another site, or of another session, changes nothing', async (page) => {
  await signIn(page, '/operator/replays');
  const foreign = await page.evaluate(async () => {
    const body = new URLSearchParams({ state: 'delivered', run: 'replay', 'form-token': 'x' });
    return (await fetch('/operator/replays', { method: 'POST', body })).status;
  });
  assert.equal(foreign, 403);
});

for (const [name, options] of [['wide', DESKTOP], ['phone', PHONE]]) {
  for (const colorScheme of ['light', 'dark']) {
    visiting(`Every page can be read: ${name}, ${colorScheme}`, async (page) => {
      await signIn(page);
      for (const section of ['', 'deliveries', 'events', 'webhooks', 'replays', 'publish']) {
        await page.goto(`${ORIGIN}/operator/${section}`);
        await fits(page);
        await page.screenshot({ path: `${SCREENSHOTS}operator-${name}-${colorScheme}-${section || 'overview'}.png`, fullPage: true });
      }
      await page.goto(`${ORIGIN}/operator/deliveries?outcome=failure`);
      await page.locator('tbody a').first().click();
      await page.locator('.timeline').waitFor();
      await fits(page);
      await page.screenshot({ path: `${SCREENSHOTS}operator-${name}-${colorScheme}-delivery.png`, fullPage: true });
    }, { ...options, colorScheme });
  }
}

visiting('Everything but copying and keeping up to date works without scripts', async (page) => {
  await signIn(page);
  await page.getByRole('link', { name: 'All failures' }).click();
  await page.locator('tbody a').first().click();
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.locator('.timeline').waitFor();
  // Without scripts the page stays as it was loaded, which may have been before the attempt.
  for (let tries = 0; tries < 100 && await page.locator('.timeline > li').count() < 2; tries += 1) await page.reload();
  await page.locator('.timeline > li').nth(1).waitFor();
}, { javaScriptEnabled: false });

visiting('On the first page, commands are whole and can be copied', async (page, context) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${ORIGIN}/`);
  await page.screenshot({ path: `${SCREENSHOTS}landing-wide.png`, fullPage: true });
  for (const pre of await page.locator('pre').all()) {
    const [inner, outer] = await pre.evaluate((box) => [box.scrollWidth, box.clientWidth]);
    assert.ok(inner <= outer, `a command is cut: ${inner} in ${outer}`);
  }
  await page.getByRole('button', { name: 'Copy' }).first().click();
  await page.getByText('Copied').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await page.locator('pre').first().textContent());
  await page.getByRole('link', { name: "the operator's page" }).click();
  await page.getByLabel('Key of the operator API').waitFor();
});
