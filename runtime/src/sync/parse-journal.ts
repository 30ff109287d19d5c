import type * as z from 'zod/mini'

/**
 * The entries of a journal, one a line. A process may have been killed in the middle of its last
 * line: one that has no end and says nothing is left out.
 *
 * @throws Error of the first other line that is no entry
 */
export function parseJournal<Entry>(text: string, schema: z.ZodMiniType<Entry>): readonly Entry[] {
  const lines = text.split('\n')
  const torn = lines.pop() ?? ''
  const entries = lines.map((line, index) => {
    const entry = parseLine(line, schema)
    if (entry === null) throw new Error(`line ${index + 1} is no entry`)
    return entry
  })
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
