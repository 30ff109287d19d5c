import { resolve } from 'node:path'
import { openGitRepository } from '../git/git-repository.ts'
import { readTrace } from '../trace/read-trace.ts'
import { type CommandIo, finish } from './command.ts'
import { describeTrace } from './describe-trace.ts'
import { withSession } from './environment-session.ts'
import { parseLimit } from './parse-limit.ts'
import type { TraceOptions } from './trace.ts'

/** The implementation of `needle trace`. */
export async function runTrace(io: CommandIo, options: TraceOptions, typed: string): Promise<void> {
  const limit = parseLimit(options.limit)
  const directory = resolve(io.cwd, options.repository ?? '.')
  const trace = await withSession(io, options, async ({ access }) => {
    // People on call may have no repository; the store knows the rest.
    const git = await openGitRepository(directory).catch(() => null)
    return readTrace({ access, typed, limit, git, env: io.env, now: Date.now() })
  })
  finish(io, options, { text: describeTrace(trace), json: trace })
}
