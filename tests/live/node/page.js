// SPDX-License-Identifier: Apache-2.0
// page.js SCENARIO FILE: opens a page from disk in headless Chromium and does what a reader would. Ends 1 with what was not as it should be.
// In every scenario a message on the console, an error of the script or any request but for FILE itself is a failure.
'use strict';
const assert = require('node:assert/strict');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const numbers = (page, section, column) => page.$$eval(`#${section} tbody tr.item td:nth-child(${column})`, (cells) => cells.map((c) => Number(c.textContent.replace(/,/g, ''))));
const head = (page, section, text) => page.click(`#${section} th button.sort:text-is("${text}")`);
const nodes = (page) => page.evaluate(() => document.querySelectorAll('*').length);
const descending = (v) => v.every((n, i) => !i || v[i - 1] >= n);
const ascending = (v) => v.every((n, i) => !i || v[i - 1] <= n);
const go = (page, hash) => page.evaluate((h) => (location.hash === h ? null : new Promise((done) => {
  addEventListener('hashchange', () => requestAnimationFrame(done), { once: true });
  location.hash = h;
})), hash);

const scenarios = {
  async verdict(page) {
    assert.equal(await page.textContent('.verdict .word'), 'FAIL');
    assert.match(await page.textContent('.verdict h1'), /2 N\+1/);
    assert.match(await page.textContent('.failures'), /GET \/orders: 42 queries in one request, budget 10/);
    const [y1, y2] = await page.$$eval('#verdict, #findings', (all) => all.map((e) => e.getBoundingClientRect().top));
    assert.ok(y1 < y2);
    const card = await page.textContent('#findings .card:has-text("shop_customer")');
    for (const part of ['N+1', 'proven', 'GET /orders', 'shop/views.py:14', 'shop_order.customer_id', 'shop_customer.id', '20\u00d7', 'source 20 rows',
      '20 of 20 values', 'wasted', 'select_related', 'in 4 of 4 requests']) assert.ok(card.includes(part), `${part} is not in: ${card}`);
  },

  async comparison(page) {
    assert.equal(await page.textContent('.verdict .word'), 'WORSE');
    assert.deepEqual(await page.$$eval('#scopes tbody tr.item td.wide', (all) => all.map((e) => e.textContent)), ['GET /orders', 'GET /customers/<int:pk>']);
    const worst = await page.textContent('#scopes tr.detail');      // the worst one is unfolded
    for (const part of ['new', 'N+1', 'shop_order.customer_id', '+ 20\u00d7', 'One request']) assert.ok(worst.includes(part), `${part} is not in: ${worst}`);
    assert.deepEqual(await page.$$eval('.sequence .op', (all) => all.map((e) => e.textContent[0])), [' ', '-', '-', '+', '+', '+', '+']);
    await page.click('#scopes tbody tr.item:last-child td.number');
    assert.match(await page.textContent('#scopes tbody tr.detail:last-child'), /the same statements, as often/);
    await head(page, 'scopes', 'Scope');
    assert.equal(await page.$eval('#scopes tbody tr.item td.wide', (e) => e.textContent), 'GET /customers/<int:pk>');
    await page.keyboard.press('j');
    assert.ok(await page.$eval(':focus', (e) => e.classList.contains('item')));
    await page.keyboard.press('?');
    assert.ok(await page.isVisible('.sheet'));
  },

  async sorts(page) {
    await head(page, 'queries', 'calls');
    assert.ok(descending(await numbers(page, 'queries', 2)));
    assert.equal(await page.getAttribute('#queries th:nth-child(2)', 'aria-sort'), 'descending');
    await head(page, 'queries', 'calls');
    assert.ok(ascending(await numbers(page, 'queries', 2)));
    assert.equal(await page.getAttribute('#queries th:nth-child(2)', 'aria-sort'), 'ascending');
    await head(page, 'scopes', 'Scope');
    assert.deepEqual(await page.$$eval('#scopes td.wide a', (all) => all.map((a) => a.textContent)), ['GET /customers/<int:pk>', 'GET /orders']);
  },

  async filters(page) {
    const all = await page.$$eval('#queries tbody tr', (rows) => rows.length);
    assert.ok(all > 4, `${all} queries`);
    await page.fill('#queries .filter', 'SHOP_LINE');
    const shown = await page.$$eval('#queries tbody tr', (rows) => rows.map((r) => r.textContent));
    assert.ok(shown.length > 0 && shown.length < all && shown.every((t) => t.includes('shop_line')), shown.join('\n'));
    await page.fill('#queries .filter', 'no such thing');
    assert.equal(await page.textContent('#queries tbody'), 'nothing matches');
    await page.press('#queries .filter', 'Escape');
    assert.equal(await page.$$eval('#queries tbody tr', (rows) => rows.length), all);
  },

  async sqlUnfolds(page) {
    await page.click('#queries tbody tr.item td.number');
    assert.match(await page.textContent('#queries tr.detail .sql'), /^SELECT .*shop_/s);
    await page.click('#queries tbody tr.item td.number');
    assert.equal(await page.$('#queries tr.detail'), null);
  },

  async waterfall(page) {
    await page.click('#requests tbody tr.item td.number');
    await page.waitForSelector('#request');
    assert.match(await page.textContent('#request h1'), /^GET \/orders #\d/);
    assert.equal(await page.isVisible('#overview'), false);
    assert.deepEqual(await page.$$eval('.looped .fold', (all) => all.map((b) => b.textContent)), ['\u00d720', '\u00d720']);
    assert.deepEqual(await page.$$eval('.via', (all) => all.map((e) => e.textContent).sort()),
      ['shop_order.customer_id \u2192 shop_customer.id', 'shop_order.id \u2192 shop_line.order_id']);
    await page.waitForFunction(() => document.querySelectorAll('.arrows .head').length === 2);
    const ticks = await page.$$eval('.looped .tick', (all) => all.length);
    assert.ok(ticks > 2 && ticks <= 40, `${ticks} ticks`);
    assert.ok(await page.$('.think .gap'), 'the time of the app between queries');
    assert.match(await page.textContent('.row.lane:not(.think) .label'), /connection 1.*\d+ statements/);
    const inside = await page.$$eval('.track > span', (all) => all.every((e) => {
      const a = e.getBoundingClientRect(), b = e.parentElement.getBoundingClientRect();
      return a.left >= b.left - 1 && a.right <= b.right + 3;
    }));
    assert.ok(inside, 'a bar leaves its track');
  },

  async folds(page) {
    await go(page, '#request/1');
    const before = await page.$$eval('.chart .row', (rows) => rows.filter((r) => r.offsetParent).length);
    await page.click('.looped .fold');
    assert.equal(await page.getAttribute('.looped .fold', 'aria-expanded'), 'true');
    assert.equal(await page.$$eval('.chart .row', (rows) => rows.filter((r) => r.offsetParent).length), before + 20);
    await page.click('.looped .fold');
    assert.equal(await page.$$eval('.chart .row', (rows) => rows.filter((r) => r.offsetParent).length), before);
  },

  async transactions(page) {
    await go(page, '#request/1');
    assert.equal(await page.$$eval('.track > .tx', (all) => all.length), 1, 'one transaction');
    assert.match(await page.getAttribute('.track > .tx', 'title'), /^transaction open for \d/);
    assert.deepEqual(await page.$$eval('.row.lane:not(.think) b', (all) => all.map((b) => b.textContent)), ['connection 1', 'connection 2']);
    assert.ok(await page.$('.row.failed .exec.failed'), 'a failed statement');
    assert.match(await page.textContent('.row.failed'), /22012/);
  },

  /* Hundreds of transactions in one request: rows come in portions. */
  async long(page) {
    await go(page, '#request/1');
    assert.equal(await page.$$eval('.rows .row', (rows) => rows.length), 200);
    assert.equal(await page.textContent('.rows .more'), '1,300 more');
    await page.click('.rows .more');
    assert.equal(await page.$$eval('.rows .row', (rows) => rows.length), 400);
    assert.equal(await page.textContent('.rows .more'), '1,100 more');
    assert.equal(await page.$$eval('.track > .tx', (all) => all.length), 500);
    assert.ok(await nodes(page) < 8000, `${await nodes(page)} nodes`);
  },

  async flame(page) {
    const widths = () => page.$$eval('#flame .frame.scope rect', (all) => all.map((r) => Number(r.getAttribute('width'))));
    const before = await widths();
    assert.equal(before.length, 2);
    assert.ok(await page.$('#flame .frame.loop'));
    await page.click('#flame .frame.scope');
    assert.equal((await widths()).length, 1, 'zoomed in');
    await page.click('#flame button.plain');
    assert.deepEqual(await widths(), before);
    await page.click('#flame .choice button:text("calls")');
    assert.notDeepEqual(await widths(), before);
    await page.fill('#flame .filter', 'shop_customer');
    assert.ok(await page.$('#flame .frame.match'));
    assert.match(await page.textContent('#flame .count'), /\d%? matched/);
    await page.press('#flame .filter', 'Escape');
    assert.equal(await page.$('#flame .frame.match'), null);
    await page.focus('#flame .frame.all');
    await page.keyboard.press('ArrowDown');
    assert.match(await page.evaluate(() => document.activeElement.getAttribute('class')), /scope/);
    await page.keyboard.press('Enter');
    assert.equal((await widths()).length, 1);
  },

  async flameAlone(page) {
    const widths = () => page.$$eval('.frame.scope rect', (all) => all.map((r) => Number(r.getAttribute('width'))));
    const before = await widths();
    assert.equal(before.length, 2);
    await page.click('.frame.scope');
    assert.equal((await widths()).length, 1);
    await page.click('#whole');
    assert.deepEqual(await widths(), before);
    await page.click('#calls');
    assert.notDeepEqual(await widths(), before);
    await page.keyboard.press('t');
    assert.deepEqual(await widths(), before);
    await page.keyboard.press('/');
    await page.keyboard.type('shop_line');
    assert.ok(await page.$('.frame.match'));
    assert.match(await page.textContent('#said'), /matched/);
    await page.keyboard.press('Escape');
    assert.equal(await page.$('.frame.match'), null);
    await page.click('.frame.query');
    await page.keyboard.press('Escape');
    assert.deepEqual(await widths(), before);
  },

  async keyboard(page) {
    const place = () => page.evaluate(() => document.activeElement.dataset.place || document.activeElement.className || document.activeElement.tagName);
    await page.keyboard.press('j');
    const first = await place();
    assert.match(first, /^finding\//);
    await page.keyboard.press('j');
    assert.notEqual(await place(), first);
    await page.keyboard.press('k');
    assert.equal(await place(), first);
    await page.keyboard.press('Enter');
    await page.waitForURL(/#request\/\d+$/);
    await page.waitForSelector('#request');
    await page.keyboard.press('Escape');
    await page.waitForURL(/#requests$/);
    await page.waitForSelector('#overview');
    await page.keyboard.press('?');
    assert.ok(await page.isVisible('.help'));
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'dialog');
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('.help'), false);
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.waitForURL(/#queries$/);
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'filter queries');
  },

  async deepLinks(page) {
    const id = await page.$eval('#findings .card:last-child', (c) => c.dataset.place);
    await go(page, '#' + id);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.place), id);
    const seen = await page.evaluate(() => { const r = document.activeElement.getBoundingClientRect(); return r.top < innerHeight && r.bottom > 0; });
    assert.ok(seen);
    await go(page, '#scope/' + encodeURIComponent('GET /customers/<int:pk>'));
    assert.deepEqual(await page.$$eval('#requests tbody tr', (rows) => rows.length), 2);
    assert.match(await page.textContent('.chip'), /GET \/customers/);
    const queries = await page.$$eval('#queries tbody tr', (rows) => rows.map((r) => r.textContent));
    assert.ok(queries.length > 1 && !queries.some((q) => q.includes('count(*)')), 'queries of the scope only');
    await page.click('.chip button');
    assert.equal(await page.$$eval('#requests tbody tr', (rows) => rows.length), 6);
    await go(page, '#request/5');
    assert.match(await page.textContent('#request h1'), /#5$/);
    const key = await page.textContent('#request code');
    await go(page, '#request/' + key);
    assert.match(await page.textContent('#request h1'), /#5$/, 'by its key');
    const query = await page.evaluate(() => JSON.parse(document.getElementById('document').textContent).report.shapes[0].fingerprint);
    await go(page, '#query/q' + query.slice(0, 7));
    assert.match(await page.textContent('#queries tr.detail'), new RegExp(query));
    await page.reload();
    assert.match(await page.textContent('#queries tr.detail'), new RegExp(query), 'the address alone leads there');
  },

  async dark(page) {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await paper();
    assert.notEqual(light, dark, 'as the system says');
    await page.keyboard.press('t');
    assert.equal(await paper(), light, 'light by choice');
    await page.click('#theme');
    await page.emulateMedia({ colorScheme: 'light' });
    assert.equal(await paper(), dark, 'dark by choice');
    await page.reload();
    assert.equal(await paper(), dark, 'and remembered');
  },

  /* Text against what is behind it, for everything that shows text: 4.5 to 1, 3 to 1 for large text. */
  async contrast(page) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const hash of ['#verdict', '#request/1']) {
        await go(page, hash);
        const poor = await page.evaluate(() => {
          const parse = (c) => c.match(/[\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
          const out = [];
          for (const e of document.querySelectorAll('main *, #top *')) {
            if (!e.offsetParent || e.disabled || e.closest('svg') || e.matches('.anchor, .card.note *') || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
            const style = getComputedStyle(e), a = light(parse(style.color)), b = light(behind(e));
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
            if (ratio < (size >= 18.6 ? 3 : 4.5)) out.push(`${e.className || e.tagName} "${e.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
          }
          return [...new Set(out)];
        });
        assert.deepEqual(poor, [], `${scheme} ${hash}`);
      }
    }
  },

  async accessible(page) {
    for (const hash of ['#verdict', '#request/1']) {
      await go(page, hash);
      const bad = await page.evaluate(() => [...document.querySelectorAll('button, a[href], input')].filter((e) => e.offsetParent && !(e.textContent.trim() || e.getAttribute('aria-label'))).map((e) => e.outerHTML));
      assert.deepEqual(bad, [], 'a control without a name');
      assert.equal(await page.$$eval('h1', (all) => all.filter((e) => e.offsetParent).length), 1);
    }
    assert.deepEqual(await page.$$eval('header, main, nav', (all) => all.filter((e) => !e.closest('article')).map((e) => e.tagName)), ['HEADER', 'NAV', 'MAIN']);
    await go(page, '#verdict');
    await page.setViewportSize({ width: 390, height: 800 });
    for (const hash of ['#verdict', '#request/1']) {
      await go(page, hash);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${hash} is wider than a phone`);
    }
  },

  async prints(page) {
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.isVisible('#top'), false);
    assert.ok(await page.isVisible('#findings .card'));
    assert.ok((await page.pdf({ format: 'A4' })).length > 10000);
  },

  /* Ten thousand requests of three hundred scopes: a bounded page that still reaches each of them. */
  async large(page) {
    const LEAST = 300, MOST = 6000;
    assert.ok(await nodes(page) > LEAST && await nodes(page) < MOST, `${await nodes(page)} nodes`);
    assert.match(await page.textContent('.notices'), /9,000 requests of 10,000 are listed without a timeline/);
    assert.match(await page.textContent('#requests .count'), /1\u201350 of 10,000/);
    const drawn = await page.$$eval('#flame .frame', (all) => all.length);
    assert.ok(drawn > 10 && drawn < 3000, `${drawn} frames`);
    await page.click('#requests .pager button:last-child');
    assert.match(await page.textContent('#requests .count'), /51\u2013100 of 10,000/);
    await head(page, 'requests', '#');
    await head(page, 'requests', '#');
    assert.deepEqual(await page.$$eval('#requests tbody tr', (rows) => rows.length), 50);
    await page.fill('#requests .filter', 'r9876');
    assert.equal(await page.$$eval('#requests tbody tr', (rows) => rows.length), 1);
    await page.click('#requests tbody a');
    await page.waitForSelector('#request');
    assert.match(await page.textContent('#request code'), /r9876/);
    await page.keyboard.press('Escape');
    await page.waitForSelector('#requests');
    await go(page, '#scope/' + encodeURIComponent('GET /items/00123'));
    assert.match(await page.textContent('#requests .count'), /^(33|34|3[0-9])( of 10,000)?$/);
    assert.ok(await nodes(page) < MOST, `${await nodes(page)} nodes`);
  },

  /* Names made of markup, escapes and broken bytes are text, whatever they say. */
  async hostile(page) {
    assert.equal(await page.evaluate(() => window.owned), undefined);
    assert.equal(await page.$$eval('script', (all) => all.length), 2);
    assert.equal(await page.$$eval('img, iframe, object, embed, link, base, form', (all) => all.length), 0);
    const words = await page.textContent('#scopes');
    assert.ok(words.includes('</script><script>window.owned=1</script>'), words);
    assert.ok(words.includes('<!--<script>'), words);
    assert.ok(words.includes('a\\u2028b') && words.includes('c\\u202ed'), 'unseen characters are shown');
    for (const row of await page.$$('#scopes tbody tr a')) {
      await go(page, await row.getAttribute('href'));
      assert.equal(await page.$$eval('#requests tbody tr', (rows) => rows.length), 1);
    }
    assert.equal(await page.evaluate(() => window.owned), undefined);
  },
};

async function main() {
  const [name, file] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const url = pathToFileURL(file).href, unwanted = [];
  page.on('console', (m) => unwanted.push(`console: ${m.text()}`));
  page.on('pageerror', (e) => unwanted.push(`error: ${e.stack}`));
  page.on('request', (r) => { if (r.url().split('#')[0] !== url) unwanted.push(`request: ${r.url()}`); });
  try {
    await page.goto(url);
    await scenarios[name](page);
    assert.deepEqual(unwanted, []);
  } finally {
    await browser.close();
  }
}

main().catch((e) => {
  console.error(e.stack);
  process.exit(1);
});
