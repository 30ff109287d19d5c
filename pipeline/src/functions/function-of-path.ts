import { functionNameSchema } from '@needle-faas/runtime/manifest'

/** The function whose folder holds this path; null for shared code and everything else. */
export function functionOfPath(path: string): string | null {
  const [top, group, name, ...rest] = path.split('/')
  if (top !== 'functions' || rest.length === 0) return null
  const parsed = functionNameSchema.safeParse(`${group}/${name}`)
  return parsed.success ? parsed.data : null
}
