import { relative, resolve } from 'node:path'
import { type Role, roles, type TrustRoot } from '@needle-faas/runtime/manifest'
import { openStore } from '@needle-faas/runtime/store'
import { PipelineError } from '../errors.ts'
import { initTrust } from '../keys/init-trust.ts'
import { keyVariable, openSigner } from '../keys/open-signer.ts'
import { rotateTrust } from '../keys/rotate-trust.ts'
import { type CommandIo, finish } from './command.ts'
import { type EnvironmentOptions, withSession } from './environment-session.ts'
import type { KeysInitOptions, KeysRotateOptions } from './keys.ts'
import { locateEnvironment } from './locate-environment.ts'
import { formatTable } from './table.ts'

/** The implementation of `needle keys init`. */
export async function runKeysInit(io: CommandIo, options: KeysInitOptions): Promise<void> {
  const located = await locateEnvironment(io, options)
  const store = await openStore(located.store)
  try {
    const { root, keyFiles } = await initTrust({
      store,
      directory: resolve(io.cwd, options.out),
      trustFile: located.trust,
      now: Date.now(),
    })
    const shown = (path: string): string => relative(io.cwd, path) || path
    finish(io, options, {
      text: [
        `Trust root 1 is in ${store.location} and in ${shown(located.trust)}: commit that file, BFFs pin it.`,
        'Private keys, readable by you only. Move each where its role signs, and the root key offline:',
        formatTable(roles.map((role) => [`  ${role}`, keyVariable[role], shown(keyFiles[role])])),
      ].join('\n'),
      json: { root, trustFile: located.trust, keyFiles },
    })
  } finally {
    await store.close()
  }
}

/** The implementation of `needle keys list`. */
export async function runKeysList(io: CommandIo, options: EnvironmentOptions): Promise<void> {
  const { pinned, newest } = await withSession(io, options, async ({ trust }) => trust)
  finish(io, options, {
    text: [
      `Trust root ${newest.version}, epoch ${newest.epoch}, of ${newest.issuedAt} (pinned: ${pinned.version})`,
      formatTable(rows(newest)),
    ].join('\n'),
    json: { pinnedVersion: pinned.version, root: newest },
  })
}

/** The implementation of `needle keys rotate`. */
export async function runKeysRotate(io: CommandIo, options: KeysRotateOptions): Promise<void> {
  const add = (options.add ?? []).map(parseRole)
  const remove = options.remove ?? []
  if (add.length + remove.length === 0 && !options.raiseEpoch) {
    throw new PipelineError('USAGE_INVALID', 'Say what to change: --add, --remove or --raise-epoch')
  }
  const result = await withSession(io, options, async ({ store, trust }) => {
    const files = options.key?.map((file) => resolve(io.cwd, file)) ?? [undefined]
    const signers = await Promise.all(
      files.map((file) => openSigner({ file, env: io.env, roles: ['root'], root: trust.newest })),
    )
    return rotateTrust({
      store,
      root: trust.newest,
      signers,
      add,
      remove,
      raiseEpoch: options.raiseEpoch ?? false,
      force: options.force ?? false,
      directory: resolve(io.cwd, options.out),
      now: Date.now(),
      signal: io.signal,
    })
  })
  const { root, keyFiles, removedKeyIds } = result
  finish(io, options, {
    text: [
      `Trust root ${root.version}, epoch ${root.epoch}, is published; BFFs follow it by themselves.`,
      ...keyFiles.map((file) => `  new key: ${relative(io.cwd, file)}`),
      ...removedKeyIds.map((keyId) => `  taken away: ${keyId}`),
      ...(options.raiseEpoch
        ? ['Manifests of the old epoch are void: run needle refresh for every environment now.']
        : []),
      formatTable(rows(root)),
    ].join('\n'),
    json: result,
  })
}

function rows(root: TrustRoot): string[][] {
  return roles.flatMap((role) => {
    const { keyIds, threshold } = root.roles[role]
    return keyIds.map((keyId) => [
      `  ${role}`,
      keyId,
      root.keys[keyId]?.algorithm ?? '',
      `${threshold} of ${keyIds.length}`,
    ])
  })
}

function parseRole(text: string): Role {
  const role = roles.find((name) => name === text)
  if (role !== undefined) return role
  throw new PipelineError('USAGE_INVALID', `"${text}" is no role. Roles are ${roles.join(', ')}`)
}
