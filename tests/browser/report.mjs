// Does with the HTML report of a live check what its reader does, in a real Chromium: copies commands and runs them, filters, reads it in the
// dark and on a phone. The report is that of `conformance run` against a server in sandbox mode, by a document that promises too much.
//
// Run by scripts/browser-test as `node --test-reporter=spec report.mjs ORIGIN CONFORMANCE`. Fails on every request of the page, on every error
// in the browser's console (its policy among them), and when there is no browser. Screenshots are written beside it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const ORIGIN = new URL(process.argv[2] ?? assert.fail('usage: node report.mjs http://127.0.0.1:PORT CONFORMANCE')).origin;
const CONFORMANCE = process.argv[3] ?? assert.fail('usage: node report.mjs http://127.0.0.1:PORT CONFORMANCE');
const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const CREDENTIALS = { X_API_KEY: 'sandbox-key', X_API_SECRET: 'sandbox-secret' };

let browser;
let folder;
let address;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'report-'));
  const document = await (await fetch(`${ORIGIN}/openapi/conduit.json`)).json();
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
  const named = (id) => operations.find(({ operationId }) => operationId === id);
  // Breaking: a member that no answer has, and a status that is not promised any more.
  named('getWebhook').responses['200'].content['application/json'].schema = { type: 'object', required: ['neverThere'] };
  delete named('deleteWebhook').responses['404'];
  // A warning: what is refused although the document allows it.
  named('createWebhook').requestBody.content['application/json'].schema = { type: 'object' };
  writeFileSync(join(folder, 'conduit.json'), JSON.stringify(document));
  const headers = Object.entries(CREDENTIALS).flatMap(([name, value]) => ['--header', `${name.replaceAll('_', '-')}: ${value}`]);
  const options = ['run', 'conduit.json', '--server', `${ORIGIN}/conduit`, ...headers, '--report', 'html=report.html'];
  const run = await promisify(execFile)(CONFORMANCE, options, { cwd: folder }).catch((error) => error);
  assert.equal(run.code, 1, `there are findings: ${run.stdout}${run.stderr}`);
  address = pathToFileURL(join(folder, 'report.html')).href;
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync',
      '--disable-component-update', '--host-resolver-rules=MAP * ~NOTFOUND'],
  });
});

after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A test that opens the report in a fresh profile. */
function reading(title, steps, { permissions = [], ...options } = {}) {
  test(title, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ ...DESKTOP, ...options, permissions, serviceWorkers: 'block' });
    context.setDefaultTimeout(30_000);
    const requests = [];
    const complaints = [];
    context.on('request', (request) => requests.push(request.url()));
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    try {
      await page.goto(address);
      await steps(page);
      assert.deepEqual(requests, [address], 'requests of the page');
      assert.deepEqual(complaints, [], 'errors in the console');
    } catch (error) {
      await page.screenshot({ path: `${SCREENSHOTS}report-failed.png` }).catch(() => {});
      throw error;
    } finally {
      await context.close();
    }
  });
}

const shot = (page, name) => page.screenshot({ path: `${SCREENSHOTS}report-${name}.png` });

/** Whether the page fits its window. */
async function fits(page) {
  const { width } = page.viewportSize();
  const content = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(content <= width, `the page is ${content} pixels wide on a screen of ${width}`);
}

/** The texts whose contrast with what is behind them is less than 4.5 to 1 (WCAG 2.2, 1.4.3). */
const faint = (page) => page.evaluate(() => {
  const probe = document.createElement('p');
  probe.style.backgroundColor = 'Canvas';
  document.body.append(probe);
  const canvas = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => {
    const [red, green, blue] = parts(color).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if ((parts(color)[3] ?? 1) > 0) return color;
    }
    return canvas;
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const has = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!has || !element.checkVisibility() || ['SCRIPT', 'METER'].includes(element.tagName)) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) found.push(`${element.tagName}.${element.className} ${contrast.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
  }
  return { canvas: light(canvas), found };
});

reading('A command is copied, and does again what the report shows', async (page) => {
  const articles = page.locator('article');
  const count = await articles.count();
  assert.ok(count >= 3, `${count} findings`);
  for (let index = 0; index < count; index += 1) {
    const article = articles.nth(index);
    const button = article.getByRole('button', { name: 'Copy', exact: true });
    if (!(await button.count())) continue;
    await button.click();
    await article.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await article.locator('.again pre').textContent());
    assert.match(copied, /^curl /);
    assert.ok(!copied.includes('sandbox-secret'), 'no secret is copied');
  }
  await shot(page, 'copied');
  // One that is refused: it leaves nothing behind.
  const refused = page.locator('section[data-operation*="createWebhook"] article.warning').first();
  const command = await refused.locator('.again pre').textContent();
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, ...CREDENTIALS } });
  const status = (text) => text.match(/^HTTP\/1\.1 (\d{3})/)?.[1];
  assert.match(status(stdout) ?? stdout, /^4\d\d$/);
  assert.equal(status(stdout), status(await refused.locator('.exchange pre').last().textContent()));
}, { permissions: ['clipboard-read', 'clipboard-write'] });

reading('A command is copied where the browser keeps pages from the clipboard', async (page) => {
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  const article = page.locator('article:has(button.copy)').first();
  await article.getByRole('button', { name: 'Copy', exact: true }).click();
  await article.getByRole('button', { name: 'Copied' }).waitFor();
  // What was copied is pasted, as a reader would.
  await page.locator('input.find').click();
  await page.keyboard.press('Control+V');
  const pasted = await page.locator('input.find').inputValue();
  const command = await article.locator('.again pre').textContent();
  assert.equal(pasted, command.replaceAll('\n', ''));
});

reading('Findings are filtered by severity and by operation', async (page) => {
  const shown = async () => {
    const all = await page.locator('main article').evaluateAll((list) => list.filter((one) => one.checkVisibility()).map((one) => one.className));
    return Object.fromEntries(['breaking', 'warning'].map((word) => [word, all.filter((one) => one === word).length]));
  };
  const before = await shown();
  assert.ok(before.breaking > 0 && before.warning > 0, JSON.stringify(before));
  await page.locator('label.breaking').click();
  assert.deepEqual(await shown(), { ...before, breaking: 0 });
  await shot(page, 'warnings');
  await page.locator('#show-breaking').focus();
  await page.keyboard.press('Space');
  assert.deepEqual(await shown(), before);
  const field = page.getByRole('searchbox', { name: 'Filter by operation' });
  await field.fill('GETWEBHOOK');
  const operations = await page.locator('[data-operation]').evaluateAll((list) => list.filter((one) => one.checkVisibility()).map((one) => one.dataset.operation));
  assert.ok(operations.length >= 3, `coverage, contents and findings: ${operations}`);
  assert.ok(operations.every((one) => one.includes('getWebhook')), `${operations}`);
  await shot(page, 'filtered');
  await field.fill('no such operation');
  assert.deepEqual(await shown(), { breaking: 0, warning: 0 });
  await field.fill('');
  assert.deepEqual(await shown(), before);
  // The picture of the coverage opens to its details, and leads to the findings.
  const operation = page.locator('details.operation[data-operation*="getWebhook"]');
  await operation.locator('summary').click();
  await operation.getByRole('link', { name: /^findings:/ }).click();
  await page.waitForFunction(() => document.querySelector(location.hash)?.getBoundingClientRect().top < innerHeight);
});

for (const colorScheme of ['light', 'dark']) {
  for (const [device, options] of [['wide', DESKTOP], ['phone', PHONE]]) {
    reading(`The report can be read: ${device}, ${colorScheme}`, async (page) => {
      for (const details of await page.locator('details').all()) {
        await details.evaluate((one) => { one.open = true; });
      }
      await fits(page);
      const { canvas, found } = await faint(page);
      assert.equal(canvas < 0.1, colorScheme === 'dark', `a canvas of ${canvas}`);
      assert.deepEqual(found, [], 'texts that are too faint');
      await page.screenshot({ path: `${SCREENSHOTS}report-${device}-${colorScheme}.png`, fullPage: true });
      await page.locator('article').first().scrollIntoViewIfNeeded();
      await shot(page, `${device}-${colorScheme}-finding`);
    }, { ...options, colorScheme });
  }
}
