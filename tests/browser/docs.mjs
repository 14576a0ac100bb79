// Does at / and /docs/ what a user does there, in a real Chromium, against a server in sandbox mode with an empty database.
//
// Run by scripts/browser-test as `node --test-reporter=spec docs.mjs ORIGIN PASSED_ON TAKEN_AWAY`; the last two are addresses of another
// server behind nginx, which passes the path on or takes it away. Fails on every request that leaves the server, on every error in the
// browser's console, and when there is no browser; never skips. Screenshots are written beside it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { Visit } from './visit.mjs';

const ORIGIN = new URL(process.argv[2] ?? assert.fail('usage: node docs.mjs http://127.0.0.1:PORT')).origin;
const [PASSED_ON, TAKEN_AWAY] = process.argv.slice(3);
assert.ok(TAKEN_AWAY, 'two addresses of a server behind a proxy');
const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));

// Not a loopback name, so that Swagger UI behaves as it does on a deployed server; the browser resolves it to the test server.
const DEPLOYED = ORIGIN.replace('127.0.0.1', 'truehook.test');

// A name that somebody else has pointed at this machine (DNS rebinding): for the browser, everything there is of one origin.
const REBOUND = ORIGIN.replace('127.0.0.1', 'rebound.test');

const CONDUIT = {
  label: 'Conduit',
  document: '/docs/conduit.json',
  base: '/conduit',
  credentials: { 'X-API-Key': 'sandbox-key', 'X-API-Secret': 'sandbox-secret' },
};
const EQUALS_MONEY = {
  label: 'Equals Money',
  document: '/docs/equals-money.json',
  base: '/equals-money',
  credentials: { Authorization: 'ApiKey sandbox-key' },
};

const OPERATOR = {
  label: 'Operator',
  document: '/docs/operator.json',
  base: '/operator/v1',
  credentials: { Operator: 'sandbox-operator' },
};

let browser;

before(async () => {
  rmSync(SCREENSHOTS, { recursive: true, force: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A request that leaves the server is recorded, and then goes nowhere.
      '--host-resolver-rules=MAP truehook.test 127.0.0.1, MAP rebound.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
});

after(() => browser?.close());

const DESKTOP = { viewport: { width: 1280, height: 1000 } };

// As wide as the narrowest phones in use.
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

/** A test with a fresh profile, which begins at `path`; at /docs/ with Conduit's document displayed. */
function visiting(name, title, steps, { site = ORIGIN, reached = ORIGIN, path = '/docs/', device = DESKTOP } = {}) {
  test(title, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ ...device, serviceWorkers: 'block' });
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    const visit = new Visit(page, name, site, reached);
    try {
      await page.goto(site + path);
      if (path === '/docs/') {
        await visit.rendered(CONDUIT);
      }
      await steps(visit, page);
      await page.waitForLoadState('networkidle');
      visit.check();
    } catch (error) {
      // A screenshot that cannot be made must not hide why the test failed.
      await visit.screenshot('failed').catch(() => {});
      throw error;
    } finally {
      await context.close();
    }
  });
}

visiting('documents', 'Each document can be chosen in the top bar, and its events are displayed', async (visit, page) => {
  const labels = await page.locator('.topbar select option').allInnerTexts();
  for (const api of [CONDUIT, EQUALS_MONEY, OPERATOR]) {
    assert.ok(labels.includes(api.label), `${api.label} among ${labels}`);
    visit.name = `documents-${api.label.replace(' ', '-')}`;
    await visit.choose(api);
    await page.screenshot({ path: `${SCREENSHOTS}${visit.name}.png`, fullPage: true });
    if (visit.document.webhooks) {
      await visit.events();
    }
  }
});

visiting('deployed', 'On a host name that is not loopback, no request leaves the server either', async (visit, page) => {
  await visit.choose(EQUALS_MONEY);
  await page.waitForLoadState('networkidle');
  await page.locator('.information-container').scrollIntoViewIfNeeded();
  await visit.screenshot('page');
}, { site: DEPLOYED });

test('A page that points its name at this machine can neither read nor change anything', { timeout: 300_000 }, async () => {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  try {
    // Whatever is displayed is of the attacker's origin, and so is what runs in it.
    await page.goto(`${REBOUND}/docs/`);
    assert.equal(await page.evaluate(() => origin), REBOUND);
    const attempts = await page.evaluate(async (webhook) => {
      const conduit = { 'X-API-Key': 'sandbox-key', 'X-API-Secret': 'sandbox-secret' };
      const ask = async (path, options) => {
        const response = await fetch(path, options);
        return { path, status: response.status, text: await response.text() };
      };
      return [
        await ask('/operator/v1/deliveries', { headers: { Authorization: 'Bearer sandbox-operator' } }),
        await ask('/equals-money/v2/webhooks', { headers: { Authorization: 'ApiKey sandbox-key' } }),
        await ask('/conduit/webhooks', { headers: conduit }),
        await ask('/conduit/webhooks', {
          method: 'POST',
          headers: { ...conduit, 'Content-Type': 'application/json' },
          body: JSON.stringify(webhook),
        }),
        await ask('/openapi/operator.json'),
        await ask('/docs/'),
        await ask('/'),
      ];
    }, { url: `${ORIGIN}/health/live`, status: 'enabled', events: ['transaction.completed'] });
    for (const { path, status, text } of attempts) {
      assert.equal(status, 421, `${path} from ${REBOUND}`);
      assert.match(text, /--allow-host/, path);
    }
    const registered = await (await fetch(`${ORIGIN}/conduit/webhooks`, { headers: CONDUIT.credentials })).json();
    assert.deepEqual(registered.data, [], 'nothing was registered');
    // The same page under a name that the operator allows gets through: it is the name that is refused.
    const allowed = await page.goto(`${DEPLOYED}/docs/`);
    assert.equal(allowed.status(), 200);
  } finally {
    await context.close();
  }
});

test('Swagger UI cannot be put into a frame of another page', { timeout: 300_000 }, async () => {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  try {
    await page.goto(`${DEPLOYED}/health/live`);
    const blocked = page.waitForEvent('requestfailed', (request) => request.url() === `${ORIGIN}/docs/`);
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.append(frame);
    }, `${ORIGIN}/docs/`);
    assert.match((await blocked).failure().errorText, /BLOCKED/);
  } finally {
    await context.close();
  }
});

visiting('phone-landing', 'The first page can be read on a phone', async (visit, page) => {
  await visit.fits();
  await page.screenshot({ path: `${SCREENSHOTS}phone-landing.png`, fullPage: true });
}, { path: '/', device: PHONE });

visiting('phone', 'On a phone, an operation can be read and executed', async (visit, page) => {
  for (const api of [CONDUIT, EQUALS_MONEY, OPERATOR]) {
    await visit.choose(api);
    await visit.fits();
  }
  await visit.choose(CONDUIT);
  await visit.authorize(CONDUIT);
  await visit.execute('listWebhooks', 200);
  await visit.open('createWebhook');
  await visit.fits();
  await visit.events();
  await visit.fits();
  await page.screenshot({ path: `${SCREENSHOTS}phone-operation.png` });
}, { device: PHONE });

visiting('anonymous', 'Without authorization, Conduit and Equals Money answer 401', async (visit) => {
  assert.match((await visit.execute('createWebhook', 401)).title, /./);
  await visit.choose(EQUALS_MONEY);
  assert.equal((await visit.execute('createWebhook', 401)).statusCode, 401);
});

visiting('conduit', 'Conduit: authorize, then create, get, list, patch and delete a webhook', async (visit) => {
  await visit.authorize(CONDUIT);
  const samples = await visit.samples('createWebhook');
  const { id } = await visit.execute('createWebhook', 201);
  assert.match(id, /^whk_/);
  for (const sample of samples.slice(1)) {
    await visit.execute('createWebhook', 201, { sample });
  }
  const found = await visit.execute('getWebhook', 200, { fill: { id } });
  assert.equal(found.id, id);
  assert.match(found.secret, /./);
  const { data } = await visit.execute('listWebhooks', 200);
  assert.equal(data.length, samples.length);
  assert.ok(data.some((webhook) => webhook.id === id));
  const changes = await visit.samples('patchWebhook');
  assert.equal((await visit.execute('patchWebhook', 200, { fill: { id } })).id, id);
  for (const sample of changes.slice(1)) {
    await visit.execute('patchWebhook', 200, { fill: { id }, sample });
  }
  await visit.execute('deleteWebhook', 204, { fill: { id } });
  await visit.execute('getWebhook', 404, { fill: { id } });
});

visiting('equals-money', 'Equals Money: authorize, then execute all seven operations', async (visit) => {
  await visit.choose(EQUALS_MONEY);
  await visit.authorize(EQUALS_MONEY);
  await visit.execute('findAllWebhookEventTypes', 200);
  // With the id of the sample, which has to be one of this server.
  await visit.execute('findOneWebhookEventType', 200);
  const samples = await visit.samples('createWebhook');
  const { id: webhookId } = await visit.execute('createWebhook', 201);
  for (const sample of samples.slice(1)) {
    await visit.execute('createWebhook', 201, { sample });
  }
  const { rows } = await visit.execute('findAllWebhooks', 200);
  assert.equal(rows.length, samples.length);
  assert.ok(rows.some((webhook) => webhook.id === webhookId));
  assert.equal((await visit.execute('findOneWebhook', 200, { fill: { webhookId } })).id, webhookId);
  const changes = await visit.samples('updateWebhook');
  assert.equal((await visit.execute('updateWebhook', 200, { fill: { webhookId } })).id, webhookId);
  for (const sample of changes.slice(1)) {
    await visit.execute('updateWebhook', 200, { fill: { webhookId }, sample });
  }
  await visit.execute('deleteWebhook', 204, { fill: { webhookId } });
  await visit.execute('findOneWebhook', 404, { fill: { webhookId } });
});

visiting('operator', 'Operator: authorize, then execute all thirteen operations', async (visit) => {
  // A receiver that refuses: the server has nothing at this path that may be posted to.
  const registered = await fetch(`${ORIGIN}/conduit/webhooks`, {
    method: 'POST',
    headers: { ...CONDUIT.credentials, 'Content-Type': 'application/json' },
    body: JSON.stringify({ url: `${ORIGIN}/health/live`, status: 'enabled', events: ['transaction.completed'] }),
  });
  assert.equal(registered.status, 201);
  await visit.choose(OPERATOR);
  await visit.authorize(OPERATOR);
  const events = await visit.samples('publishEvent');
  const published = [await visit.execute('publishEvent', 202)];
  for (const sample of events.slice(1)) {
    published.push(await visit.execute('publishEvent', 202, { sample }));
  }
  const { id: eventId } = published.find(({ deliveries }) => deliveries === 1);
  const { data } = await visit.execute('listEvents', 200);
  assert.deepEqual(new Set(data.map(({ id }) => id)), new Set(published.map(({ id }) => id)));
  assert.equal((await visit.execute('getEvent', 200, { fill: { id: eventId } })).id, eventId);
  const { data: deliveries } = await visit.execute('listDeliveries', 200, { fill: { eventId } });
  assert.equal(deliveries.length, 1);
  const { id } = deliveries[0];
  const delivery = await visit.execute('getDelivery', 200, { fill: { id } });
  assert.equal(delivery.attempts[0].number, 1);
  assert.equal((await visit.execute('retryDelivery', 202, { fill: { id } })).state, 'pending');
  const { data: webhooks } = await visit.execute('listWebhooks', 200);
  const webhookId = deliveries[0].webhookId;
  assert.ok(webhooks.some((webhook) => webhook.id === webhookId), 'the webhook of the delivery is listed');
  assert.equal((await visit.execute('getWebhook', 200, { fill: { id: webhookId } })).id, webhookId);
  const replays = await visit.samples('createReplay');
  const { id: replayId } = await visit.execute('createReplay', 202);
  for (const sample of replays.slice(1)) {
    await visit.execute('createReplay', 202, { sample });
  }
  assert.equal((await visit.execute('getReplay', 200, { fill: { id: replayId } })).id, replayId);
  const keys = await visit.samples('createKey');
  const { id: keyId } = await visit.execute('createKey', 201);
  for (const sample of keys.slice(1)) {
    await visit.execute('createKey', 201, { sample });
  }
  assert.equal((await visit.execute('listKeys', 200)).data.length, keys.length);
  await visit.execute('revokeKey', 204, { fill: { id: keyId } });
  await visit.execute('revokeKey', 404, { fill: { id: keyId } });
});

visiting('both', 'Both documents are authorized at once, and stay so when the page is loaded again', async (visit, page) => {
  await visit.authorize(CONDUIT);
  await visit.choose(EQUALS_MONEY);
  await visit.authorize(EQUALS_MONEY);
  await visit.execute('findAllWebhooks', 200);
  await page.reload();
  await visit.choose(CONDUIT);
  await visit.execute('listWebhooks', 200);
  await visit.choose(EQUALS_MONEY);
  await visit.execute('findAllWebhooks', 200);
});

for (const [name, site] of [['passed-on', PASSED_ON], ['taken-away', TAKEN_AWAY]]) {
  const behind = `Below a path of a proxy, ${name.replace('-', ' ')} by it`;
  const options = { site, reached: site };

  visiting(name, `${behind}, operations are executed`, async (visit, page) => {
    for (const api of [CONDUIT, EQUALS_MONEY, OPERATOR]) {
      await visit.choose(api);
      const plain = await (await fetch(site + api.document.replace('/docs/', '/openapi/'))).json();
      for (const { servers } of [visit.document, plain]) assert.equal(servers[0].url, `/hooks${api.base}`, api.label);
    }
    await visit.choose(CONDUIT);
    await visit.authorize(CONDUIT);
    const { id } = await visit.execute('createWebhook', 201);
    await visit.execute('deleteWebhook', 204, { fill: { id } });
    await visit.screenshot('page', page);
  }, options);

  visiting(name, `${behind}, the first page, redirects and the operator's page lead there`, async (visit, page) => {
    for (const command of await page.locator('pre').allInnerTexts()) {
      assert.ok(command.startsWith(`curl ${site}/`), command);
      const { stdout } = await promisify(execFile)('sh', ['-c', command.replace('curl ', 'curl --fail --silent ')]);
      JSON.parse(stdout);
    }
    for (const path of ['/docs', '/operator']) {
      const answer = await page.goto(site + path);
      assert.equal(answer.status(), 200, path);
      assert.ok(answer.request().redirectedFrom(), `${path} is a redirect`);
      assert.equal(new URL(page.url()).pathname.replace('/sign-in', '/'), `/hooks${path}/`);
    }
    await page.goto(`${site}/`);
    await page.getByRole('link', { name: "the operator's page" }).click();
    await page.getByLabel('Key of the operator API').fill('sandbox-operator');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const [cookie] = await page.context().cookies();
    assert.equal(cookie.path, '/hooks/operator');
    await page.getByRole('link', { name: 'Publish', exact: true }).click();
    await page.getByLabel('Event type').selectOption('conduit/transaction.completed');
    await page.waitForURL(`${site}/operator/publish?type=conduit**`);
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('link', { name: 'Show its deliveries' }).click();
    await page.locator('tbody a').first().click();
    await page.locator('.timeline').waitFor();
    await visit.screenshot('delivery');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Key of the operator API').waitFor();
    assert.ok(page.url().startsWith(`${site}/operator/`), page.url());
  }, { ...options, path: '/' });
}

// Last, as it leaves a webhook and an event behind.
visiting('landing', 'The first page leads to Swagger UI, and its commands do what it says', async (visit, page) => {
  assert.match(await page.locator('h1').innerText(), /^Truehook .*sandbox mode$/);
  await visit.screenshot('page');
  const commands = await page.locator('pre').allInnerTexts();
  assert.equal(commands.length, 3);
  const answers = [];
  for (const command of commands) {
    assert.ok(command.startsWith(`curl ${ORIGIN}/`), command);
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    answers.push(JSON.parse(stdout));
  }
  const [webhook, event, { data: deliveries }] = answers;
  assert.ok(
    deliveries.some(({ eventId, webhookId }) => eventId === event.id && webhookId === webhook.id),
    'what was published is delivered to what was registered',
  );
  await page.getByRole('link', { name: 'Swagger UI' }).click();
  await visit.rendered(CONDUIT);
}, { path: '/' });
