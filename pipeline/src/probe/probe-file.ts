import { readFile, rename, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Probe, probeLimits, probesSchema } from '@needle-faas/runtime/manifest'
import { PipelineError } from '../errors.ts'

/** Beside the `index.ts` of its function, which imports it. */
export const probeFileName = 'probes.json'

/**
 * Adds a recorded probe to a file of them, in the place of one of the same request, and writes it whole.
 *
 * @returns how many are in it
 * @throws PipelineError `PROBE_REFUSED`: the file is something else, or would be over a limit
 */
export async function addToProbeFile(file: string, probe: Probe): Promise<number> {
  const known = await readProbes(file)
  const isOf = (other: Probe): boolean => isDeepStrictEqual(requestOf(other), requestOf(probe))
  const place = known.findIndex(isOf)
  const probes = place === -1 ? [...known, probe] : known.with(place, probe)
  const checked = probesSchema.safeParse(probes)
  if (!checked.success) {
    const why =
      probes.length > probeLimits.count
        ? `a function has at most ${probeLimits.count} probes, and ${file} has them. Take one out`
        : `it cannot be a probe: ${checked.error.issues[0]?.message}`
    throw new PipelineError('PROBE_REFUSED', why)
  }
  const unfinished = `${file}.tmp`
  await writeFile(unfinished, `${JSON.stringify(probes, null, 2)}\n`)
  await rename(unfinished, file)
  return probes.length
}

function requestOf({ expectStatus: _status, ...request }: Probe): Omit<Probe, 'expectStatus'> {
  return request
}

async function readProbes(file: string): Promise<readonly Probe[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  const parsed = probesSchema.safeParse(toJson(text))
  if (parsed.success) return parsed.data
  throw new PipelineError(
    'PROBE_REFUSED',
    `${file} is no list of probes: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}. Correct it, or move it away`,
  )
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is no list either.
    return undefined
  }
}
