/** One thing wrong in a workflow file, at the place to repair. */
export interface Finding {
  readonly file: string
  /** First line is 1. */
  readonly line: number
  readonly message: string
  /** Who says so: `actionlint`, `parser` or the name of one of our rules. */
  readonly rule: string
}

/** `file:line: message (rule)`, the form editors and terminals turn into a link. */
export function formatFinding({ file, line, message, rule }: Finding): string {
  return `${file}:${line}: ${message} (${rule})`
}
