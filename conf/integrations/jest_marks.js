// SPDX-License-Identifier: Apache-2.0
// Tells rowcall which test of Jest, Vitest or node:test runs, so that reports and budgets name it: {test: "test/slow/*", max_queries: 400}.
// Copy this file into your project (as .cjs for Jest and node:test where package.json says "type": "module") and name it to the runner,
// which must run one test at a time:
//
//     jest.config.js:    setupFilesAfterEnv: ['./jest_marks.js']                        rowcall run -- jest --runInBand
//     vitest.config.js:  test: { globals: true, setupFiles: ['./jest_marks.js'] }       rowcall run -- vitest run --no-file-parallelism
//     node:test:         rowcall run -- node --require ./jest_marks.js --test --test-concurrency=1
//
// Under rowcall run each test is marked as test/orders.test.js::orders lists them. Elsewhere it does nothing.
(() => {
  let url = globalThis.process.env.ROWCALL_URL; // set by rowcall run
  const inNode = typeof globalThis.beforeEach !== 'function'; // Jest and Vitest have it as a global
  if (!url || (inNode && process.env.NODE_TEST_CONTEXT === undefined)) return; // node --test itself runs no test, its children do
  const load = typeof require === 'function' ? require : process.getBuiltinModule; // Vitest 4 has no require
  const [http, path] = [load('node:http'), load('node:path')];
  const { beforeEach, afterEach } = inNode ? load('node:test') : globalThis;

  const mark = (test) => new Promise((resolve) => {
    if (!url) { resolve(); return; }
    const fail = (error) => {
      process.stderr.write(`rowcall takes no marks, going on without: ${error.message}\n`);
      url = undefined;
      resolve();
    };
    http.request(`${url}/api/v1/marks`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, timeout: 2000, agent: false },
      (answer) => answer.resume().on('end', resolve)).on('timeout', function late() { this.destroy(new Error('no answer')); })
      .on('error', fail).end(JSON.stringify({ test }));
  });
  const named = (context) => {
    const { testPath, currentTestName } = inNode ? { testPath: process.argv[1], currentTestName: context.fullName || context.name }
      : globalThis.expect.getState();
    return `${path.relative(process.cwd(), testPath)}::${currentTestName}`;
  };
  beforeEach((...context) => mark(named(...context))); // a parameter of its own would be Jest's done()
  afterEach(() => mark(null));
})();
