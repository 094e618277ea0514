// SPDX-License-Identifier: Apache-2.0
// Names the Express request (4 and 5) behind every query of pg or mysql2, and so of Sequelize, Knex, TypeORM, Drizzle and Prisma with
// @prisma/adapter-pg, in a comment that databases ignore. Copy this file beside your app as express_tags.js (.cjs where package.json says
// "type": "module", and import it), then two lines before any route:
//
//     const { tagRequests, tagQueries } = require('./express_tags');
//     tagQueries(require('pg'), 'sequelize');     // or require('mysql2'); and what speaks through it, whose words the advice then uses
//     app.use(tagRequests);
//
// A query then ends in /*caller='routes%2Forders.js%3A12',route='GET%20%2Forders%2F%3Aid',rowcall_request='6f1c…'*/: route is the scope
// that reports and budgets name, rowcall_request tells one request from the next (an X-Request-Id header is kept), caller is the app's
// line nearest to the query, looked up only under rowcall run. Jobs: await named('job Mail', () => …). It follows the sqlcommenter convention,
// and does nothing else: the app runs the same without rowcall. Statements prepared by name (pg) or text (mysql2's execute) are kept by
// their text, so they carry no rowcall_request, or nothing where a name forbids two texts.
'use strict';
const { AsyncLocalStorage } = require('node:async_hooks');
const { randomUUID } = require('node:crypto');
const path = require('node:path');

const current = new AsyncLocalStorage();

function tagRequests(req, res, next) {
  const route = () => req.route && `${req.method} ${req.baseUrl}${req.route.path}`; // known once a route has been chosen
  current.run({ route, request: req.get('x-request-id') || randomUUID() }, next);
}

// work may give something lazy (Prisma does), so it is awaited inside.
function named(name, work) {
  return current.run({ route: () => name, request: randomUUID() }, async () => await work());
}

function tagged(sql, keyed, framework) {
  const now = current.getStore();
  if (!now || /\browcall_request=|\broute='/.test(sql)) return sql; // outside of a request, or tagged by a pool already
  const tags = { caller: process.env.ROWCALL_URL && caller(), framework, route: now.route(), rowcall_request: keyed && now.request };
  const encode = (value) => encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const comment = Object.keys(tags).filter((key) => tags[key]).map((key) => `${key}='${encode(tags[key])}'`).join(',');
  return comment ? `${sql} /*${comment}*/` : sql;
}

// path:line of the nearest frame in a file below the working directory; undefined when there is none.
function caller() {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const frames = new Error().stack.split('\n');
  Error.stackTraceLimit = limit;
  for (const frame of frames) {
    const [, file, line] = /(?:file:\/\/|\(|at (?:async )?)(\/[^()]*):(\d+):\d+\)?$/.exec(frame) || [];
    if (file && file.startsWith(process.cwd() + path.sep) && file !== __filename && !file.includes('node_modules')) {
      return `${path.relative(process.cwd(), file)}:${line}`;
    }
  }
  return undefined;
}

// A pool hands a waiting query on in the context of whoever frees a connection, so pools tag as well, where they are called.
function tagQueries(driver, framework) {
  for (const { prototype } of [driver.Client, driver.Connection, driver.Pool].filter(Boolean)) {
    for (const method of ['query', 'execute'].filter((name) => prototype[name])) {
      const original = prototype[method];
      prototype[method] = function (what, ...rest) {
        const keyed = method === 'query';
        if (typeof what === 'string') return original.call(this, tagged(what, keyed, framework), ...rest);
        for (const text of ['text', 'sql']) { // pg's and mysql2's member; an object of a class is a cursor or stream of its own
          if (what && typeof what[text] === 'string' && !what.name && Object.getPrototypeOf(what) === Object.prototype) {
            return original.call(this, { ...what, [text]: tagged(what[text], keyed, framework) }, ...rest);
          }
        }
        return original.call(this, what, ...rest);
      };
    }
  }
}

module.exports = { named, tagQueries, tagRequests };
