// What a user does at /docs/ in a browser, step by step, and what is checked of each step; the tests of docs.mjs put them together.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));

/**
 * One user with a fresh profile at /docs/ of `site`, an origin with the path that everything is below, and all that the browser requests
 * and complains of meanwhile. The tests themselves reach the same at `reached`.
 */
export class Visit {
  requests = [];
  complaints = [];
  refusals = [];

  constructor(page, name, site, reached) {
    Object.assign(this, { page, name, site, reached });
    this.prefix = new URL(site).pathname.replace(/\/$/, '');
    page.context().on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
    page.on('pageerror', (error) => this.complaints.push({ text: String(error) }));
    page.on('console', (message) => {
      if (message.type() === 'error') {
        this.complaints.push({ text: message.text(), url: message.location().url });
      }
    });
  }

  async screenshot(what, target = this.page) {
    await target.screenshot({ path: `${SCREENSHOTS}${this.name}-${what}.png` });
  }

  /** Waits until the document is rendered, with the operations that it has. */
  async rendered({ label, document, base }) {
    const { page, site, prefix } = this;
    this.document = await (await fetch(this.reached + document)).json();
    await page.locator('.info .title', { hasText: this.document.info.title }).waitFor();
    const ids = operationIds(this.document);
    await page.locator(`.opblock[id$="-${ids.at(-1)}"]`).waitFor();
    assert.equal(await page.locator('.opblock-tag-section .opblock').count(), ids.length, `operations of ${label}`);
    assert.equal(await page.locator('.errors-wrapper').count(), 0, `${label}: Swagger UI shows no errors`);
    assert.equal(await page.locator('.servers select').inputValue(), prefix + base, `${label}: this server is chosen`);
    const link = await page.locator('.info a.link').first().evaluate((anchor) => anchor.href);
    assert.equal(link, site + document, `${label}: the link to the document`);
    const operations = Object.values(this.document.paths).flatMap((item) => Object.values(item));
    const linked = operations.flatMap(({ responses }) => Object.values(responses)).filter(({ links }) => links);
    assert.deepEqual(linked, [], `${label}: the column of links, which is not displayed, is empty`);
    this.base = base;
  }

  async choose(api) {
    await this.page.locator('.topbar select').selectOption({ label: api.label });
    await this.rendered(api);
  }

  async authorize({ label, credentials }) {
    const { page } = this;
    await page.locator('.scheme-container button.authorize').click();
    const schemes = page.locator('.dialog-ux .auth-container');
    await schemes.first().waitFor();
    assert.equal(await schemes.count(), Object.keys(credentials).length, `schemes of ${label}`);
    for (const [header, value] of Object.entries(credentials)) {
      const scheme = schemes.filter({ has: page.getByText(header, { exact: true }) });
      assert.equal(await scheme.getByText('Authorized', { exact: true }).count(), 0, `${label}: ${header} is not yet filled in`);
      await scheme.locator('input').fill(value);
      await scheme.getByRole('button', { name: 'Apply credentials' }).click();
      await scheme.getByText('Authorized', { exact: true }).waitFor();
    }
    const dialog = await page.locator('.dialog-ux').innerText();
    for (const value of Object.values(credentials)) {
      assert.ok(dialog.includes(`In this sandbox: ${value}`), `${label}: Authorize shows ${value}`);
    }
    await this.screenshot(`authorize-${label.replace(' ', '-')}`);
    await page.locator('.dialog-ux .btn-done').first().click();
    await page.locator('.dialog-ux').waitFor({ state: 'detached' });
    const locked = await page.locator('.opblock .authorization__btn[aria-label$=" locked"]').count();
    assert.equal(locked, operationIds(this.document).length, `${label}: every operation shows a closed lock`);
  }

  /** Opens an operation, and switches "Try it out" on if it is not. */
  async open(id) {
    const operation = this.page.locator(`.opblock[id$="-${id}"]`);
    const summary = operation.locator('.opblock-summary-control');
    if ((await summary.getAttribute('aria-expanded')) !== 'true') {
      await summary.click();
    }
    // The body is displayed before what is in it; `count` and `evaluateAll` do not wait.
    await operation.locator('.try-out__btn').waitFor();
    const tryOut = operation.locator('.try-out__btn:not(.cancel)');
    if (await tryOut.count()) {
      await tryOut.click();
    }
    return operation;
  }

  /** The names of the sample bodies that an operation offers, the first of them chosen already. */
  async samples(id) {
    const operation = await this.open(id);
    const select = operation.locator('.opblock-section-request-body .examples-select-element');
    await select.waitFor();
    const names = await select.locator('option').evaluateAll((options) => options.map((option) => option.value));
    assert.equal(await select.inputValue(), names[0], `${id}: the first sample is chosen`);
    return names;
  }

  /**
   * Executes an operation as it stands, with the parameters in `fill` and the sample body `sample`, and returns the body that is
   * displayed. A status that the document does not have fails: Swagger UI writes "Undocumented" below it.
   */
  async execute(id, status, { fill = {}, sample } = {}) {
    const { page, site, base } = this;
    const operation = await this.open(id);
    const clear = operation.locator('.btn-clear');
    if (await clear.count()) {
      await clear.click();
      await operation.locator('.live-responses-table').waitFor({ state: 'detached' });
    }
    for (const [name, value] of Object.entries(fill)) {
      await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
    }
    if (sample) {
      await operation.locator('.opblock-section-request-body .examples-select-element').selectOption(sample);
    }
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.request().resourceType() === 'fetch'),
      operation.locator('button.execute').click(),
    ]);
    if (status >= 400) {
      this.refusals.push({ text: `status of ${status} `, url: response.url() });
    }
    const shown = operation.locator('.live-responses-table .response');
    await shown.waitFor();
    const what = sample ? `${id}, sample ${sample}` : id;
    const text = (await operation.locator('.live-responses-table').innerText()).slice(0, 500);
    assert.equal((await shown.locator('.response-col_status').innerText()).trim(), String(status), `${what}:\n${text}`);
    const url = (await operation.locator('.request-url pre').innerText()).trim();
    assert.ok(url.startsWith(`${site}${base}/`), `${what} is sent to ${url}`);
    if (!sample) {
      await this.screenshot(`${id}-${status}`, operation);
    }
    let body;
    if (status !== 204) {
      body = JSON.parse(await shown.locator('.highlight-code code').first().innerText());
      assert.deepEqual(body, await response.json(), `${what}: the body is displayed as it was sent`);
    }
    // Swagger UI renders every open operation again on each click.
    await operation.locator('.opblock-summary-control').click();
    return body;
  }

  /** The events: a list of all below "Webhooks", and one opened that shows its sample. */
  async events() {
    const { page, document } = this;
    const section = page.locator('.webhooks');
    const heading = section.locator('h2');
    assert.equal(await heading.evaluate((h2) => getComputedStyle(h2, '::after').content), '"Event notifications"');
    assert.equal(await page.locator('#operations-tag-Event_notifications').isVisible(), false, 'one heading for all events');
    const names = Object.keys(document.webhooks);
    assert.deepEqual(
      await section.locator('.opblock-summary-path').evaluateAll((paths) => paths.map((path) => path.dataset.path)),
      names,
      'each event is listed',
    );
    const event = section.locator('.opblock').first();
    await event.locator('.opblock-summary-control').click();
    const shown = await event.locator('.opblock-section-request-body .highlight-code code').first().innerText();
    const samples = document.webhooks[names[0]].post.requestBody.content['application/json'].examples;
    assert.deepEqual(JSON.parse(shown), Object.values(samples)[0].value, `the sample of ${names[0]}`);
    await heading.scrollIntoViewIfNeeded();
    await this.screenshot('events');
    await this.screenshot('event', event);
  }

  /** Whether the page fits its window: what is wider has to be scrolled to be read. */
  async fits() {
    // A phone makes the window of a page that is too wide larger, and everything in it smaller.
    const { width } = this.page.viewportSize();
    const content = await this.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(content <= width, `the page is ${content} pixels wide on a screen of ${width}`);
    const cut = await this.page.locator('.responses-inner, .table-container').evaluateAll((boxes) => boxes
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => `${box.className}: ${box.scrollWidth} in ${box.clientWidth}`));
    assert.deepEqual(cut, [], 'what is open is cut at the right');
  }

  check() {
    const outside = this.requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(`${this.site}/`));
    assert.deepEqual(outside, [], 'requests that left the server');
    assert.ok(this.requests.some((url) => url.startsWith(`${this.site}/`)), 'requests are recorded');
    // The browser complains of each status from 400 on; those that the test asked for are no errors.
    const errors = this.complaints.filter(
      ({ text, url }) => !this.refusals.some((refusal) => url === refusal.url && text.includes(refusal.text)),
    );
    assert.deepEqual(errors, [], 'errors in the console');
  }
}

export function operationIds(document) {
  return Object.values(document.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
}
