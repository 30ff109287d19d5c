import { resolve } from 'node:path'
import { roles, type TrustRoot } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, isRuntimeError, openStore } from '@needle-faas/runtime/store'
import { examineEnvironment } from '../environment-state/examine-environment.ts'
import type { Finding } from '../environment-state/finding.ts'
import { remedyOf } from '../environment-state/remedy.ts'
import { isPipelineError } from '../errors.ts'
import { exitCode } from '../exit-code.ts'
import { openGitRepository } from '../git/git-repository.ts'
import { keyVariable, readSigner } from '../keys/open-signer.ts'
import { openTrust } from '../keys/open-trust.ts'
import { findRepository } from '../functions/find-repository.ts'
import { counted } from './counted.ts'
import { type CommandIo, finish } from './command.ts'
import type { EnvironmentOptions } from './environment-session.ts'
import { givenLocation, locateEnvironment } from './locate-environment.ts'

/** The implementation of `needle doctor`. */
export async function runDoctor(io: CommandIo, options: EnvironmentOptions): Promise<void> {
  const findings = [...(await examineGit(io, options)), ...(await examineRest(io, options))]
  const isBroken = findings.some(({ status }) => status === 'broken')
  const marks = { ok: 'ok     ', warning: 'WARNING', broken: 'BROKEN ' }
  finish(io, options, {
    text: [
      ...findings.map(({ check, status, message }) => `${marks[status]}  ${check}: ${message}`),
      isBroken ? 'Something is broken.' : 'Nothing is broken.',
    ].join('\n'),
    json: { environment: options.environment, isBroken, findings },
    exitCode: isBroken ? exitCode.refused : exitCode.ok,
  })
}

async function examineGit(io: CommandIo, options: EnvironmentOptions): Promise<Finding[]> {
  const { store, trust } = givenLocation(io, options)
  if (store && trust && !isInRepository(io, options)) {
    const message = 'not in a repository; enough for orders such as rollback, not to publish'
    return [{ check: 'git', status: 'warning', message }]
  }
  return guard('git', options.environment, async () => {
    const git = await openGitRepository(resolve(io.cwd, options.repository ?? '.'))
    const { id } = await git.commit('HEAD')
    const dirty = await git.dirtyPaths()
    const message = `${git.directory} at ${id.slice(0, 12)}`
    if (await git.isShallow()) {
      return [
        {
          check: 'git',
          status: 'warning',
          message: `${message} is a shallow clone, from which nothing can be published: git fetch --unshallow`,
        },
      ]
    }
    return dirty.length === 0
      ? [{ check: 'git', status: 'ok', message }]
      : [
          {
            check: 'git',
            status: 'warning',
            message: `${message} has ${counted(dirty.length, 'path')} not committed, ${dirty[0]} first; nothing of that is published`,
          },
        ]
  })
}

function isInRepository(io: CommandIo, options: EnvironmentOptions): boolean {
  try {
    return findRepository(io.cwd, options.repository) !== ''
  } catch (error) {
    if (isPipelineError(error, 'REPOSITORY_MISSING')) return false
    throw error
  }
}

async function examineRest(io: CommandIo, options: EnvironmentOptions): Promise<Finding[]> {
  return guard('configuration', options.environment, async () => {
    const located = await locateEnvironment(io, options)
    const store = await openStore(located.store)
    const configuration: Finding = {
      check: 'configuration',
      status: 'ok',
      message: `${options.environment} lies in ${store.location}, trust in ${located.trust}`,
    }
    try {
      return [configuration, ...(await examineTrusted(io, options, store, located.trust))]
    } finally {
      await store.close()
    }
  })
}

async function examineTrusted(
  io: CommandIo,
  options: EnvironmentOptions,
  store: ArtifactStore,
  trustFile: string,
): Promise<Finding[]> {
  const { environment } = options
  return guard('trust', environment, async () => {
    const { pinned, newest } = await openTrust(store, trustFile, io.signal)
    const trust: Finding = {
      check: 'trust',
      status: 'ok',
      message: `root ${newest.version}, epoch ${newest.epoch} (pinned: ${pinned.version})`,
    }
    const access = { store, environment, root: newest, signal: io.signal }
    return [
      trust,
      ...(await examineKeys(io, options, newest)),
      ...(await examineEnvironment(access)),
    ]
  })
}

async function examineKeys(
  io: CommandIo,
  { environment }: EnvironmentOptions,
  root: TrustRoot,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const role of roles) {
    const variable = keyVariable[role]
    const text = io.env[variable]
    if (!text) continue
    findings.push(
      ...(await guard('keys', environment, async (): Promise<Finding[]> => {
        const { keyId } = await readSigner(text, variable)
        return root.roles[role].keyIds.includes(keyId)
          ? [{ check: 'keys', status: 'ok', message: `${variable} is ${role} key ${keyId}` }]
          : [
              {
                check: 'keys',
                status: 'broken',
                message: `${variable} is key ${keyId}, which trust root ${root.version} gives no role ${role}: needle keys list`,
              },
            ]
      })),
    )
  }
  if (findings.length > 0) return findings
  return [{ check: 'keys', status: 'ok', message: 'no key is set here, so nothing can be signed' }]
}

async function guard(
  check: Finding['check'],
  environment: string,
  examine: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await examine()
  } catch (error) {
    if (!isPipelineError(error) && !isRuntimeError(error)) throw error
    const remedy = remedyOf(error, environment)
    const message = `${error.code}: ${error.message}${remedy === null ? '' : `. ${remedy}`}`
    return [{ check, status: 'broken', message }]
  }
}
