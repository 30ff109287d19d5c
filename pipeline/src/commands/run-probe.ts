import { PipelineError } from '../errors.ts'
import { findRepository } from '../functions/find-repository.ts'
import { type RecordedProbe, recordProbe } from '../probe/record-probe.ts'
import { type CommandIo, finish } from './command.ts'
import { counted } from './counted.ts'
import type { ProbeOptions } from './probe.ts'
import { runStep } from './progress.ts'

/** The implementation of `needle probe`. */
export async function runProbe(
  io: CommandIo,
  options: ProbeOptions & { readonly function: string; readonly url: string },
): Promise<void> {
  const request = {
    directory: findRepository(io.cwd, options.repository),
    function: options.function,
    url: parseUrl(options.url),
    headers: parseHeaders(options.header),
    ...(options.body !== undefined && { body: parseBody(options.body) }),
    signal: io.signal,
  }
  const recorded = await runStep(io, {
    title: `Calling ${options.function}`,
    run: () => recordProbe(request),
  })
  finish(io, options, { text: describe(recorded), json: recorded })
}

function describe(recorded: RecordedProbe): string {
  const { probe, file, count, revision, withheld, isSameWithout, isImported } = recorded
  const lines = [
    `${revision} answered ${probe.expectStatus}; ${file} has ${counted(count, 'probe')}:`,
    `  ${JSON.stringify(probe)}`,
  ]
  if (withheld.length > 0) {
    const meaning = isSameWithout
      ? 'without it the answer is the same'
      : 'the host wants it, and a probe is made past the host, by nobody: see that the answer does not depend on it'
    lines.push('', `Not recorded: ${withheld.join(', ')}; ${meaning}.`)
  }
  if (!isImported) {
    lines.push(
      '',
      'They are made once index.ts says so:',
      "  import probes from './probes.json' with { type: 'json' }",
      '  export default defineFunction({ …, probes })',
    )
  }
  return lines.join('\n')
}

function parseUrl(typed: string): URL {
  const url = URL.parse(typed)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new PipelineError(
    'USAGE_INVALID',
    `"${typed}" is no address as http://127.0.0.1:3000/shop/card/p-100; needle dev prints those of your functions`,
  )
}

function parseHeaders(typed: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    typed.map((header) => {
      const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(header) ?? []
      if (name !== undefined && value !== undefined) return [name.toLowerCase(), value]
      throw new PipelineError('USAGE_INVALID', '--header takes "name: value"')
    }),
  )
}

function parseBody(typed: string): unknown {
  try {
    return JSON.parse(typed)
  } catch (cause) {
    throw new PipelineError('USAGE_INVALID', '--body takes JSON; text goes in quotes: \'"text"\'', {
      cause,
    })
  }
}
