import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { startLogApp, type TestLogApp } from '../support/log-app.js';

const chromium = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium'].find((path) => path !== undefined && existsSync(path));
/** Where to leave the screenshots; nowhere by default. */
const shots = process.env['SCREENSHOTS'];

const PASTELID = `jX${'a'.repeat(84)}`;
const TXID = 'ab'.repeat(32);
const UUID = '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed';
const ATTACKS = [
  '<script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned = 2">',
  '</script><script>window.pwned = 3</script>',
  '`${window.pwned = 4}` \\u003cscript\\u003e',
  '"<b id=injected>" #COLOR2_OPEN# <!-- --> http://x.y/"onmouseover="window.pwned=5"',
  '</pre></main><iframe src="javascript:parent.pwned=6"></iframe>',
];

// Without a browser (CHROMIUM_PATH or /usr/bin/chromium) these are reported as skipped.
(chromium === undefined ? describe.skip : describe)('pages in headless Chromium', () => {
  let context: BrowserContext;
  let profile: string;
  let app: TestLogApp;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    const { chromium: launcher } = await import('playwright-core');
    profile = mkdtempSync(join(tmpdir(), 'pastel-browser-'));
    context = await launcher.launchPersistentContext(profile, {
      executablePath: chromium!,
      headless: true,
      viewport: { width: 1280, height: 800 },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  });

  beforeEach(async () => {
    app = await startLogApp();
    page = await context.newPage();
    await page.setViewportSize({ width: 1280, height: 800 });
    problems = [];
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    await app.close();
  });

  const shoot = async (name: string): Promise<Buffer> =>
    page.screenshot(shots === undefined ? {} : { path: join(shots, `${name}.png`) });
  const lines = () => page.locator('.line:not(.off)');
  const sample = (): void => {
    app.logger.log('Listening on port 7123', 'Bootstrap');
    app.logger.debug(`Asked http://127.0.0.2:7123/liveness_ping, answer in 12 ms`, 'PeerHealth');
    app.logger.log(`Credit pack registered for ${PASTELID}, txid: ${TXID}`, 'Registration');
    app.logger.log(
      `Burn of 1500.00123 PSL to 44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7 pending, hash ${'0f'.repeat(32)}`,
      'BurnIndex',
    );
    app.logger.warn(`Request ${UUID} 'is late': response after 4000 ms`, 'Execution');
    app.logger.error(new Error('pasteld answered 500 to "masternode message"').stack, 'InboxService');
    app.logger.log('Result stored: success', 'Execution');
  };

  test('the documentation of the routes works under its policy', async () => {
    await page.goto(`${app.url}/`);
    await page.locator('.opblock-tag').first().waitFor();
    await page.locator('.opblock-summary-path').first().click();
    await page.locator('.opblock-body').first().waitFor();
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.pwned = 1' }))`,
    );
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('Content Security Policy')]);
  });

  test('shows what was logged, and follows live', async () => {
    sample();
    await page.goto(`${app.url}/show_logs/15`);
    expect(await lines().count()).toBe(7);
    expect(await page.locator('.t-pastelid').allTextContents()).toEqual([PASTELID]);
    expect(await page.locator('.t-txid').allTextContents()).toEqual([TXID]);
    expect(await page.locator('.t-uuid').allTextContents()).toEqual([UUID]);
    expect((await shoot('desktop')).length).toBeGreaterThan(10_000);
    app.logger.error('came later', 'Live');
    await page.getByText('came later').waitFor();
    expect(await lines().count()).toBe(8);
    expect(await page.evaluate('document.getElementById("scroller").scrollTop')).toBe(0);
    expect(problems).toEqual([]);
  });

  test('runs nothing that stands in a line, at first paint and live', async () => {
    for (const attack of ATTACKS) app.logger.warn(attack, 'Attack');
    await page.goto(`${app.url}/show_logs`);
    expect(await lines().count()).toBe(ATTACKS.length);
    for (const attack of ATTACKS) app.logger.log(`live ${attack}`, 'Attack');
    await page.getByText('live </pre>').waitFor();
    await shoot('attack');
    const texts = await lines().allTextContents();
    ATTACKS.forEach((attack, index) => {
      expect(texts[index]).toBe(`2026-01-05 12:00:00,000 - WARNING - [Attack] ${attack}`);
      expect(texts[index + ATTACKS.length]).toContain(`live ${attack}`);
    });
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(await page.locator('#log-container :is(script, img, iframe, b), #injected').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(problems).toEqual([]);
  });

  test('its policy would stop a script that got in', async () => {
    await page.goto(`${app.url}/show_logs`);
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'window.pwned = 1';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned = 2">');
    }`);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(problems.join()).toMatch(/Content Security Policy/);
  });

  test('filters by level and text, and by a click on an id', async () => {
    sample();
    await page.goto(`${app.url}/show_logs`);
    await page.selectOption('#level', '2');
    expect(await lines().count()).toBe(2);
    expect(await page.textContent('#count')).toBe('2 of 7 lines');
    await page.selectOption('#level', '0');
    await page.fill('#filter', 'REGISTERED');
    expect(await lines().count()).toBe(1);
    await page.fill('#filter', 'no such thing');
    expect(await page.textContent('#empty')).toBe('No line matches the filter.');
    await page.fill('#filter', '');
    await page.click('.t-uuid');
    expect(await page.inputValue('#filter')).toBe(UUID);
    expect(await lines().count()).toBe(1);
  });

  test('saves the lines shown', async () => {
    sample();
    await page.goto(`${app.url}/show_logs`);
    await page.fill('#filter', 'success');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download-button')]);
    expect(download.suggestedFilename()).toMatch(/^pastel_supernode_inference_layer_log__.*\.txt$/);
    expect(readFileSync(await download.path(), 'utf8')).toBe(
      '2026-01-05 12:00:00,000 - INFO - [Execution] Result stored: success\n',
    );
  });

  test('leaves a reader who scrolled up alone, and shows how much came', async () => {
    for (let index = 0; index < 200; index += 1) app.logger.log(`line ${index}`, 'Many');
    await page.goto(`${app.url}/show_logs`);
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, -2000);
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    app.logger.log('one more', 'Many');
    await page.getByRole('button', { name: '1 new line' }).click();
    await page.getByRole('button', { name: 'Following' }).waitFor();
    await page.getByText('one more').waitFor();
    expect(await page.locator('.line').last().isVisible()).toBe(true);
  });

  test('fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    sample();
    await page.goto(`${app.url}/show_logs`);
    expect((await shoot('mobile')).length).toBeGreaterThan(10_000);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });
});
