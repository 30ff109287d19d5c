import type * as z from 'zod/mini'
import { pause } from '../pause.ts'

/**
 * The entries of a journal, one a line. A process may have been killed in the middle of its last
 * line: one that has no end and says nothing is left out. There may be thousands, so that others
 * have their turn in between.
 *
 * @throws Error of the first other line that is no entry
 */
export async function parseJournal<Entry>(
  text: string,
  schema: z.ZodMiniType<Entry>,
): Promise<readonly Entry[]> {
  const lines = text.split('\n')
  const torn = lines.pop() ?? ''
  const entries: Entry[] = []
  for (const [index, line] of lines.entries()) {
    await pause()
    const entry = parseLine(line, schema)
    if (entry === null) throw new Error(`line ${index + 1} is no entry`)
    entries.push(entry)
  }
  const last = parseLine(torn, schema)
  return last === null ? entries : [...entries, last]
}

function parseLine<Entry>(line: string, schema: z.ZodMiniType<Entry>): Entry | null {
  try {
    const { data, success } = schema.safeParse(JSON.parse(line))
    return success ? data : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
