import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

export interface NodeUnderTest {
  readonly execPath: string
  /** As `process.version`. */
  readonly version: string
}

/**
 * The Node.js that fault servers run on, whatever the tests themselves run on: with
 * `NEEDLE_FAULTS_NODE=26` the newest one supported, else the tests' own.
 */
export const nodeUnderTest: NodeUnderTest =
  process.env['NEEDLE_FAULTS_NODE'] === '26'
    ? node26()
    : { execPath: process.execPath, version: process.version }

export function node26(): NodeUnderTest {
  const holder = createRequire(import.meta.url).resolve('node-26/package.json')
  const execPath = createRequire(holder).resolve('node/bin/node')
  return { execPath, version: execFileSync(execPath, ['--version'], { encoding: 'utf8' }).trim() }
}
