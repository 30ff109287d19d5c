/**
 * Runs `needle` commands sent by the parent process, one after the other, with this process's
 * environment and nothing more. A program of its own: what one of them may know, another may not.
 */
import * as z from 'zod'
import { main } from '../../pipeline/src/cli.ts'

const requestSchema = z.object({ args: z.array(z.string()), cwd: z.string() })

process.on('message', (message) => void run(message))
process.on('disconnect', () => process.exit(0))
// Ctrl-C reaches the whole terminal; the parent decides what ends when.
process.on('SIGINT', () => undefined)

async function run(message: unknown): Promise<void> {
  const { args, cwd } = requestSchema.parse(message)
  let output = ''
  let result = ''
  const stderr = (text: string): void => void (output += text)
  const stdout = (text: string): void => {
    stderr(text)
    result += text
  }
  const { signal } = new AbortController()
  const io = { stdout, stderr, isTerminal: false, cwd, env: process.env, signal }
  const exitCode = await main(args, io)
  process.send?.({ exitCode, output: output.trim(), result: result.trim() })
}
