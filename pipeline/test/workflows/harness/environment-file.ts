import { readFile } from 'node:fs/promises'

/**
 * What a step wrote to `GITHUB_OUTPUT` or `GITHUB_ENV`: lines `name=value`, or `name<<DELIMITER`,
 * lines, `DELIMITER`. Later entries win. Anything else is an error, as on GitHub.
 */
export async function readEnvironmentFile(path: string): Promise<Record<string, string>> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  const entries: Record<string, string> = {}
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    if (line === '') continue
    const block = /^([^=]+?)<<(.+)$/.exec(line)
    if (block !== null) {
      const [, name = '', delimiter = ''] = block
      const end = lines.indexOf(delimiter, index + 1)
      if (end === -1) throw new Error(`Matching delimiter not found '${delimiter}'`)
      entries[name] = lines.slice(index + 1, end).join('\n')
      index = end
      continue
    }
    const equals = line.indexOf('=')
    if (equals < 1) throw new Error(`Invalid format '${line}'`)
    entries[line.slice(0, equals)] = line.slice(equals + 1)
  }
  return entries
}
