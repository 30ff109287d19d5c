import { join } from 'node:path'
import type { Probe } from '@needle-faas/runtime/manifest'
import { describeFunctions } from '../build/describe-functions.ts'
import { formatIssue, PipelineError } from '../errors.ts'
import { listNearest } from '../functions/near-names.ts'
import { survey } from '../functions/survey.ts'
import { type Answer, ask } from './ask.ts'
import { addToProbeFile, probeFileName } from './probe-file.ts'
import { toProbe } from './to-probe.ts'

export interface ProbeToRecord {
  /** Root of the repository. */
  readonly directory: string
  /** Full name. */
  readonly function: string
  readonly url: URL
  readonly body?: unknown
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface RecordedProbe {
  readonly probe: Probe
  /** Relative to the repository. */
  readonly file: string
  /** How many the file has now. */
  readonly count: number
  /** What answered. */
  readonly revision: string
  /** Names of headers that were sent and are not recorded. */
  readonly withheld: readonly string[]
  /** Whether the same was answered without them; null: none was withheld, or a hook of the host keeps them. */
  readonly isSameWithout: boolean | null
  /** Whether the function's code names the file. */
  readonly isImported: boolean
}

/**
 * Makes a call of a function where it runs, and writes the example with the status of its answer down
 * beside the function.
 *
 * @throws PipelineError `FUNCTION_UNKNOWN`, `PROBE_REFUSED`, and what keeps the function from building
 */
export async function recordProbe(request: ProbeToRecord): Promise<RecordedProbe> {
  const { function: name, url, body, headers, signal } = request
  const surveyed = await survey(request.directory, 'production')
  const source = surveyed.functions.find((each) => each.name === name)
  if (source === undefined) {
    const names = surveyed.functions.map((each) => each.name)
    throw new PipelineError(
      'FUNCTION_UNKNOWN',
      `There is no function ${name} here. There are: ${listNearest(name, names)}`,
    )
  }
  const { described, issues } = await describeFunctions(surveyed, [name], { signal })
  const settings = described.get(name)?.settings
  if (settings === undefined) {
    const [issue] = issues
    const why = issue === undefined ? 'it does not build' : formatIssue(issue)
    throw new PipelineError(issue?.code ?? 'FUNCTION_BAD_DEFINITION', why, { issues })
  }

  const { probe: example, withheld } = toProbe({ function: name, settings, url, body, headers })
  const { method } = settings.http
  const answer = await ask(url, { method, headers, body, signal })
  const revision = assertExample(name, url, answer)
  const isSameWithout =
    withheld.length === 0
      ? null
      : isSame(answer, await ask(url, { method, headers: example.headers ?? {}, body, signal }))
  if (isSameWithout === false) {
    throw new PipelineError(
      'PROBE_REFUSED',
      `${name} answers something else than ${answer.status} without ${withheld.join(', ')}, which a probe does not carry: it is made by nobody. Give an example that everybody gets the same answer to`,
    )
  }
  const probe = { ...example, expectStatus: answer.status }
  const file = `${source.directory}/${probeFileName}`
  const count = await addToProbeFile(join(surveyed.directory, file), probe)
  const isImported = surveyed.graph.reach([source.entry]).files.has(file)
  return { probe, file, count, revision, withheld, isSameWithout, isImported }
}

/** @throws PipelineError when it was not the function that answered, or not as it should */
function assertExample(name: string, url: URL, { status, revision }: Answer): string {
  if (revision === null || !revision.startsWith(`${name}@`)) {
    const who = revision ?? 'no function (it has no x-needle-revision)'
    throw new PipelineError(
      'PROBE_REFUSED',
      `At ${url.origin}${url.pathname} ${who} answers ${status}, not ${name}. Look at the address, and at what the host asks for`,
    )
  }
  if (status < 500) return revision
  throw new PipelineError(
    'PROBE_REFUSED',
    `${revision} answers ${status}: an example is a call that goes well. Look at its log`,
  )
}

/** Null when it was the host that stopped it: the function is asked past its hooks. */
function isSame(answer: Answer, without: Answer): boolean | null {
  return without.revision === null ? null : without.status === answer.status
}
