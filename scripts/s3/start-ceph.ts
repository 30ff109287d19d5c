import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cephConfig, cephFsid } from './ceph-config.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { freePortRange, isFree } from './free-port.ts'

const run = promisify(execFile)

export interface CephGateway {
  readonly endpoint: string
  /** What `openStore` takes: a bucket `needle` that exists. */
  readonly storeUrl: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The variables with which everything here uses this gateway. */
  readonly env: Readonly<Record<string, string>>
  /** Stops exactly the daemons it started and removes their files. Idempotent. */
  stop(): Promise<void>
}

/** Line that installs what is needed on Debian and Ubuntu. */
const cephInstallLine = 'sudo apt-get install --no-install-recommends -y radosgw ceph-mon ceph-osd'

/**
 * Starts a real Ceph object gateway: monitor, OSD and radosgw, in memory, on loopback only, with
 * keys made for this start. Ready in about two seconds.
 *
 * @throws Error that says what to do when a package is missing, a port is taken or a daemon fails.
 */
export async function startCeph(
  options: {
    /** Short. Default: a new directory below the system's temporary one. */
    readonly baseDir?: string | undefined
    /** Of the endpoint; the next 42 are used too. Default: whatever is free. */
    readonly port?: number | undefined
    readonly signal?: AbortSignal | undefined
  } = {},
): Promise<CephGateway> {
  const { signal } = options
  await assertInstalled()
  const port = options.port ?? (await freePortRange(43))
  if (!(await isFree(port))) {
    throw new Error(`Port ${port} is in use; give another with --port, or none to take any`)
  }
  const baseDir = await makeBaseDir(options.baseDir)
  const daemons: Daemon[] = []
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.toReversed()) await daemon.stop()
    await rm(baseDir, { recursive: true, force: true })
  }
  try {
    return { ...(await startDaemons({ baseDir, port, daemons, signal })), stop }
  } catch (error) {
    const log = await lastLogLines(baseDir)
    await stop()
    signal?.throwIfAborted()
    throw new Error(`The Ceph gateway did not start${log}`, { cause: error })
  }
}

async function startDaemons(start: {
  readonly baseDir: string
  readonly port: number
  readonly daemons: Daemon[]
  readonly signal: AbortSignal | undefined
}): Promise<Omit<CephGateway, 'stop'>> {
  const { baseDir, port, daemons, signal } = start
  const configFile = path.join(baseDir, 'ceph.conf')
  // Debian's own Python runs the `ceph` command; another one first on the PATH lacks its modules.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CEPH_CONF: configFile }
  const tool = async (program: string, ...args: string[]): Promise<string> =>
    (await run(program, args, { env, signal, cwd: baseDir })).stdout
  const daemon = (program: string, ...args: string[]): Daemon => {
    const started = startDaemon(program, args, { env, logFile: `${baseDir}/log/${program}.out` })
    daemons.push(started)
    return started
  }

  await writeFile(configFile, cephConfig({ baseDir, port }))
  await makeKeyring(tool, baseDir)
  const monmap = path.join(baseDir, 'monmap')
  const address = `[v2:127.0.0.1:${port + 1},v1:127.0.0.1:${port + 2}]`
  await tool('monmaptool', '--create', '--fsid', cephFsid, '--addv', 'a', address, monmap)
  const keyring = path.join(baseDir, 'keyring')
  await tool('ceph-mon', '--mkfs', '-i', 'a', '--monmap', monmap, '--keyring', keyring)

  const monitor = daemon('ceph-mon', '-i', 'a', '-f')
  await until(monitor, signal, async () => {
    await tool('ceph', '--connect-timeout', '2', 'mon', 'stat')
    return true
  })
  const osdId = '5f1e0000-0000-4000-8000-000000000002'
  await tool('ceph', 'osd', 'new', osdId, '0')
  await tool('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osdId)
  const osd = daemon('ceph-osd', '-i', '0', '-f')
  await until(osd, signal, async () => (await tool('ceph', 'osd', 'stat')).includes('1 up'))

  const endpoint = `http://127.0.0.1:${port}`
  const gateway = daemon('radosgw', '-n', gatewayName, '-f')
  await until(gateway, signal, async () => (await fetch(endpoint)).status === 200)

  const accessKeyId = 'NEEDLELOCAL000000000'
  const secretAccessKey = crypto.randomUUID().replaceAll('-', '')
  const user = ['user', 'create', '--uid=needle', '--display-name=needle']
  const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`]
  await tool('radosgw-admin', '-n', gatewayName, ...user, ...keys)
  await createBucket({ endpoint, accessKeyId, secretAccessKey })

  const storeUrl = `s3://needle?endpoint=${endpoint}&region=us-east-1&forcePathStyle=true&ifMatch=bare`
  return {
    endpoint,
    storeUrl,
    accessKeyId,
    secretAccessKey,
    env: {
      NEEDLE_STORE: storeUrl,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  }
}

const gatewayName = 'client.rgw.needle'

async function assertInstalled(): Promise<void> {
  for (const program of ['ceph-mon', 'ceph-osd', 'radosgw']) {
    await access(`/usr/bin/${program}`).catch((cause: unknown) => {
      throw new Error(
        `The Ceph gateway needs ${program}, which is not installed. On Debian or Ubuntu:\n\n  ${cephInstallLine}\n`,
        { cause },
      )
    })
  }
}

async function makeBaseDir(wanted: string | undefined): Promise<string> {
  const baseDir =
    wanted === undefined
      ? await mkdtemp(path.join(tmpdir(), 'needle-s3-'))
      : path.join(path.resolve(wanted), 'ceph')
  if (baseDir.length > 70) {
    throw new Error(`${baseDir} is too long for Ceph's sockets; give a shorter --base-dir`)
  }
  // Its own folder: what an earlier gateway that was killed left there is of no use.
  await rm(baseDir, { recursive: true, force: true })
  for (const name of ['mon', 'osd', 'run', 'log']) {
    await mkdir(path.join(baseDir, name), { recursive: true, mode: 0o700 })
  }
  return baseDir
}

/** One file for everybody: radosgw 16 does not connect without authentication. */
async function makeKeyring(
  tool: (program: string, ...args: string[]) => Promise<string>,
  baseDir: string,
): Promise<void> {
  const keyring = path.join(baseDir, 'keyring')
  const capabilities: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'mon.': { mon: 'allow *' },
    'client.admin': { mon: 'allow *', osd: 'allow *', mgr: 'allow *' },
    'osd.0': { mon: 'allow profile osd', osd: 'allow *', mgr: 'allow *' },
    [gatewayName]: { mon: 'allow rw', osd: 'allow rwx', mgr: 'allow rw' },
  }
  await tool('ceph-authtool', '--create-keyring', keyring)
  for (const [name, allowed] of Object.entries(capabilities)) {
    const caps = Object.entries(allowed).flatMap(([daemon, cap]) => ['--cap', daemon, cap])
    await tool('ceph-authtool', keyring, '--gen-key', '-n', name, ...caps)
  }
}

async function createBucket(gateway: {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}): Promise<void> {
  const { endpoint, ...credentials } = gateway
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: 'needle' }))
  client.destroy()
}

/** Asks until the answer is yes, at most 60 seconds, and not once the daemon has ended. */
async function until(
  daemon: Daemon,
  signal: AbortSignal | undefined,
  isReady: () => Promise<boolean>,
): Promise<void> {
  let lastError: unknown
  for (const startedAt = performance.now(); performance.now() - startedAt < 60_000;) {
    signal?.throwIfAborted()
    if (daemon.ended) throw new Error(`${daemon.name} ended at once`)
    try {
      if (await isReady()) return
    } catch (error) {
      lastError = error
    }
    await sleep(100)
  }
  throw new Error(`${daemon.name} is not ready after 60 seconds`, { cause: lastError })
}

async function lastLogLines(baseDir: string): Promise<string> {
  const texts = await Promise.all(
    ['ceph-mon', 'ceph-osd', 'radosgw'].map((program) =>
      readFile(`${baseDir}/log/${program}.out`, 'utf8').catch(() => ''),
    ),
  )
  const lines = texts.flatMap((text) => text.trim().split('\n').slice(-5)).filter(Boolean)
  return lines.length === 0 ? '' : `:\n${lines.join('\n')}`
}
