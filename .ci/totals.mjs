// Prints "N passed, N failed, N skipped" from the JSON reports of a run and, if there was one, of the
// run of what had failed in it. A test that passed then counts as passed, and is named.
import { existsSync, readFileSync } from 'node:fs'

const [first, again] = process.argv
  .slice(2)
  .map((file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null))

function named(report, status) {
  const names = (report?.testResults ?? []).flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter((test) => test.status === status)
      .map(({ fullName }) => `${name}: ${fullName}`),
  )
  return new Set(names)
}

const failed = named(first, 'failed')
const mended = [...named(again, 'passed')].filter((test) => failed.has(test))
const broken = [...named(again, 'failed')].filter((test) => !failed.has(test))
for (const test of mended) console.log(`passed when it ran again, with nothing beside it: ${test}`)

const counts = {
  passed: first.numPassedTests + mended.length - broken.length,
  failed: first.numFailedTests - mended.length + broken.length,
  skipped: first.numPendingTests + first.numTodoTests,
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
