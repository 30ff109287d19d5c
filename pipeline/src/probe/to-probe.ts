import type { Probe, Settings } from '@needle-faas/runtime/manifest'
import { createRouteTable } from '@needle-faas/runtime/routing'
import { PipelineError } from '../errors.ts'
import { isSecretName } from './is-secret-name.ts'

/** A request to a function, as an author makes it. */
export interface RequestToRecord {
  /** Full name. */
  readonly function: string
  readonly settings: Pick<Settings, 'http' | 'idempotent'>
  readonly url: URL
  /** Parsed; absent: none. */
  readonly body?: unknown
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** What of a request goes into a probe, before it is known what it is answered. */
export interface ProbeInTheMaking {
  readonly probe: Omit<Probe, 'expectStatus'>
  /** Headers whose names say that they hold a secret: sent, and recorded nowhere. */
  readonly withheld: readonly string[]
}

/**
 * @throws PipelineError `PROBE_REFUSED`: the function may not have probes, the address is not the
 *   function's, or a secret would be recorded
 */
export function toProbe(request: RequestToRecord): ProbeInTheMaking {
  const { function: name, settings, url, body, headers } = request
  if (!settings.idempotent) {
    throw new PipelineError(
      'PROBE_REFUSED',
      `${name} has no probes: it may not be called at any time. If it only reads, say so: idempotent: true`,
    )
  }
  if (body !== undefined && settings.http.method === 'GET') {
    throw new PipelineError('PROBE_REFUSED', `${name} is a GET: it has no body`)
  }
  const params = paramsIn(request)
  const query = queryIn(url)
  const secret = [...Object.keys(query), ...namesIn(body)].find(isSecretName)
  if (secret !== undefined) {
    throw new PipelineError(
      'PROBE_REFUSED',
      `"${secret}" looks like a secret, and a probe lies in Git and is sent from everywhere. Give an example without it`,
    )
  }
  const recorded = Object.entries(headers).filter(([header]) => !isSecretName(header))
  return {
    probe: {
      ...(Object.keys(params).length > 0 && { params }),
      ...(Object.keys(query).length > 0 && { query }),
      ...(body !== undefined && { body }),
      ...(recorded.length > 0 && { headers: Object.fromEntries(recorded) }),
    },
    withheld: Object.keys(headers).filter(isSecretName),
  }
}

/** By the function's own route, wherever the host has it: `/api/shop/card/1` is `/shop/card/1` to it. */
function paramsIn({ function: name, settings, url }: RequestToRecord): Record<string, string> {
  const { method, path } = settings.http
  const { table } = createRouteTable([{ function: name, method, path }])
  const segments = url.pathname.split('/').slice(1)
  for (let prefix = 0; prefix < segments.length; prefix++) {
    const match = table.match(method, `/${segments.slice(prefix).join('/')}`)
    if (match.status !== 'found') continue
    return Object.fromEntries(
      Object.entries(match.params).flatMap(([param, value]) =>
        value === undefined ? [] : [[param, value]],
      ),
    )
  }
  throw new PipelineError(
    'PROBE_REFUSED',
    `${url.pathname} is not where ${name} answers: its path is ${path}`,
  )
}

function queryIn(url: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {}
  for (const key of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(key)
    const [only = ''] = values
    query[key] = values.length === 1 ? only : values
  }
  return query
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name].concat(namesIn(member)))
}
