/** Where a gateway's files and ports are. */
export interface CephLayout {
  /** Short: the path of a Unix socket below it may have 107 bytes. */
  readonly baseDir: string
  /** Of the S3 endpoint; the next 42 are used too. */
  readonly port: number
}

export const cephFsid = '5f1e0000-0000-4000-8000-000000000001'

/** `ceph.conf` of one monitor, one OSD in memory and one gateway, on loopback only. */
export function cephConfig({ baseDir, port }: CephLayout): string {
  // Daemons started by root would otherwise change to a user "ceph" that may not read here.
  const user = process.getuid?.() === 0 ? 'setuser = root\nsetgroup = root' : ''
  return `[global]
fsid = ${cephFsid}
mon host = ${monitorAddress(port)}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = ${port + 3}
ms bind port max = ${port + 42}
keyring = ${baseDir}/keyring
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon max pg per osd = 1000
run dir = ${baseDir}/run
pid file = ${baseDir}/run/$name.pid
admin socket = ${baseDir}/run/$name.$pid.asok
log file = ${baseDir}/log/$name.log
crash dir = ${baseDir}/run
${user}
paxos propose interval = 0.05
paxos min wait = 0.01
[mon]
mon data = ${baseDir}/mon
mon cluster log file = ${baseDir}/log/cluster.log
mon data avail warn = 1
mon data avail crit = 1
[osd]
osd data = ${baseDir}/osd
osd objectstore = memstore
osd memory target = 939524096
memstore device bytes = 2147483648
osd crush update on start = true
osd class load list = *
osd class default list = *
[client]
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw thread pool size = 32
rgw dns name = localhost
rgw enable usage log = false
rgw enable ops log = false
rgw gc obj min wait = 300
rgw num rados handles = 1
rgw run sync thread = false
rgw enable quota threads = false
`
}

function monitorAddress(port: number): string {
  return `[v2:127.0.0.1:${port + 1}/0,v1:127.0.0.1:${port + 2}/0]`
}
