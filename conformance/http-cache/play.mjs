// Plays tests of a suite against a cache, and prints what came of each.
//
//   node play.mjs FOLDER URL PARALLEL [ID...]
//
// A line of JSON for each test: its id, group, kind, and how it ended: "passed", "failed", or
// "setup" and "depends" where it could not be told.

import fs from 'node:fs'
import path from 'node:path'

const [folder, base, parallel, ...ids] = process.argv.slice(2)
const load = (name) => import(path.resolve(folder, name))
const isOld = fs.existsSync(path.join(folder, 'cli.mjs'))

const suites = (await load('tests/index.mjs')).default
if (isOld) suites.push((await load('tests/surrogate-control.mjs')).default)

const wanted = (test) => !test.browser_only && (ids.length === 0 || ids.includes(test.id))
const chosen = suites.map((suite) => ({ ...suite, tests: suite.tests.filter(wanted) }))

const engine = isOld ? '' : 'test-engine/'
const { runTests, getResults } = await load(`${engine}client/runner.mjs`)
if (isOld) {
  const fetch = (await load('../node-fetch/lib/index.mjs')).default
  await runTests(chosen, fetch, false, base, Number(parallel))
} else {
  await runTests(chosen, false, base, Number(parallel))
}
const results = getResults()

for (const suite of chosen) {
  for (const test of suite.tests) {
    const result = results[test.id]
    const kind = test.kind ?? 'required'
    const how = result === true ? 'passed' : result?.[0] === 'Setup' ? 'setup' : 'failed'
    const why = result === true ? '' : String(result?.[1] ?? 'nothing came of it')
    const depends = test.depends_on ?? []
    console.log(JSON.stringify({ id: test.id, suite: suite.id, kind, how, why, depends, name: test.name }))
  }
}
