// What is measured, in the order of the table.
import { join } from 'node:path'
import { crowd } from './crowd.ts'
import { collectWhileServing, p99 } from './collecting.ts'
import { sha256 } from '../../test/support/content.ts'
import { download, indexType, manifestType, must, pushImage, settled, smallImage, token, upload } from './client.ts'
import { renew, withHead, type BenchFile } from './files.ts'
import { median, MiB, perSecond, quantile, rate, timed } from './load.ts'
import { mostPss, treePss } from './memory.ts'
import type { AgedNames, Peer } from './peers.ts'
import { steadily } from './steady.ts'
import { note, type Row } from './table.ts'
import { gets, heads, puts, ranges, type Many } from './wrk.ts'

export interface Scene {
  folder: string
  /** 512 MiB, 1.5 GiB, and eight of 128 MiB. */
  big: BenchFile
  huge: BenchFile
  middle: BenchFile[]
  aged: AgedNames | undefined
  /** For the collection. */
  blobs: number
  /** No two runs push the same names to an aged store. */
  run: string
}

const crowdSize = 1000
const steadyRate = 1000
const steadyMs = 8000

export function rowsOf(scene: Scene): Row[] {
  return [...memoryAtRest(), ...transfers(scene), ...images(scene), ...reads(), ...tags(scene), ...pages(scene), ...holdingUp(scene)]
}

function memoryAtRest(): Row[] {
  return [
    { what: 'memory at rest, PSS of the tree', unit: 'MiB', once: true, measure: async ({ server }) => treePss(server.child.pid ?? 0) },
  ]
}

function transfers({ folder, big, middle, run }: Scene): Row[] {
  const held = new Map<string, string>()
  const push = async (peer: Peer, round: number) => {
    await renew(big)
    const speed = await rate(512, [() => upload(peer, `bench/big-${run}-${round}`, big)])
    held.set(peer.name, `/v2/bench/big-${run}-${round}/blobs/${big.digest}`)
    return speed
  }
  const path = async (peer: Peer) => {
    if (peer.name === 'nginx') return '/big'
    if (!held.has(peer.name)) await push(peer, 999)
    await settled(peer)
    return held.get(peer.name) ?? ''
  }
  const pull = (clients: number) => async (peer: Peer) => {
    const from = await path(peer)
    return rate(
      512 * clients,
      Array.from({ length: clients }, () => () => download(peer, from)),
    )
  }
  return [
    { what: 'push of 512 MiB', unit: 'MB/s', measure: push },
    {
      what: 'push of 8 × 128 MiB at once',
      unit: 'MB/s',
      async measure(peer, round) {
        for (const file of middle) await renew(file)
        return rate(
          8 * 128,
          middle.map((file) => () => upload(peer, `bench/middle-${run}-${round}`, file)),
        )
      },
    },
    { what: 'pull of 512 MiB', unit: 'MB/s', files: true, measure: pull(1) },
    { what: 'pull of 512 MiB, 4 at once', unit: 'MB/s', files: true, measure: pull(4) },
    {
      what: 'ranges of 1 MiB, 8 clients',
      unit: 'a second',
      files: true,
      measure: async (peer) => told(peer, 'ranges', await ranges(peer, folder, await path(peer), 512, repositoryIn(held.get(peer.name)))),
    },
  ]
}

function repositoryIn(path: string | undefined): string {
  return path?.split('/').slice(2, 4).join('/') ?? ''
}

function images({ run }: Scene): Row[] {
  const push = (clients: number, count: number) => (peer: Peer, round: number) => {
    const made = Array.from({ length: count }, () => smallImage(MiB))
    return perSecond(
      clients,
      made.map((image, at) => () => pushImage(peer, `bench/images-${run}-${clients}-${round}`, `t${at}`, image)),
    )
  }
  return [
    { what: 'push of images of 1 MiB, 1 client', unit: 'a second', measure: push(1, 60) },
    { what: 'push of images of 1 MiB, 8 clients', unit: 'a second', measure: push(8, 240) },
  ]
}

const tagged = 'bench/tagged'
const manifests = new Map<string, { body: string; digest: string }>()

/** Out: the manifest under `latest`, pushed where it is not. */
async function taggedManifest(peer: Peer): Promise<{ body: string; digest: string }> {
  const known = manifests.get(peer.name)
  if (known !== undefined) return known
  const image = smallImage(1)
  await pushImage(peer, tagged, 'latest', image)
  await settled(peer)
  const { body } = await must(peer, 200, 'GET', `/v2/${tagged}/manifests/latest`)
  const made = { body, digest: sha256(Buffer.from(body)) }
  manifests.set(peer.name, made)
  return made
}

function told(peer: Peer, what: string, many: Many): number {
  note(`${what}, ${peer.name}: p99 ${many.p99Ms.toFixed(1)} ms`)
  return many.perSecond
}

function reads(): Row[] {
  const path = async (peer: Peer, by: 'tag' | 'digest') => {
    const { digest } = await taggedManifest(peer)
    return `/v2/${tagged}/manifests/${by === 'tag' ? 'latest' : digest}`
  }
  return [
    {
      what: 'manifest GET by tag',
      unit: 'a second',
      measure: async (peer) => told(peer, 'GET by tag', await gets(peer, await path(peer, 'tag'), tagged)),
    },
    {
      what: 'manifest GET by digest',
      unit: 'a second',
      measure: async (peer) => told(peer, 'GET by digest', await gets(peer, await path(peer, 'digest'), tagged)),
    },
    {
      what: 'manifest HEAD by tag',
      unit: 'a second',
      measure: async (peer) => told(peer, 'HEAD', await heads(peer, await path(peer, 'tag'), tagged)),
    },
  ]
}

function tags({ folder, run }: Scene): Row[] {
  const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { nth: `${run}-%d` } })
  return [
    {
      what: 'tag PUT, 8 clients',
      unit: 'a second',
      async measure(peer, round) {
        const { body } = await taggedManifest(peer)
        const path = `/v2/${tagged}/manifests/${run}-${round}-%d`
        return told(peer, 'tag PUT', await puts(peer, folder, { path, body, type: manifestType, repository: tagged }))
      },
    },
    {
      what: 'PUT to a new repository, 8 clients',
      unit: 'a second',
      measure: async (peer, round) =>
        told(
          peer,
          'new repositories',
          await puts(peer, folder, { path: `/v2/bench/new-${run}-${round}-%d/manifests/1`, body: index, type: indexType }),
        ),
    },
  ]
}

const looks = 100

/** The first, the middle and the last page of a hundred. */
function pages({ aged }: Scene): Row[] {
  if (aged === undefined) return []
  const { large, tags: names, repositories } = aged
  const ends = (all: readonly string[]) => ({ first: '', middle: all[all.length >> 1] ?? '', last: all.at(-101) ?? '' })
  const page = (path: string, what: string, count: number, all: readonly string[]): Row[] =>
    Object.entries(ends(all)).map(([which, last]) => ({
      what: `${which} page of ${count.toLocaleString('en')} ${what}`,
      unit: 'ms',
      async measure(peer) {
        const times: number[] = []
        for (let at = 0; at < looks; at++)
          times.push(await timed(() => must(peer, 200, 'GET', `${path}?n=100${last === '' ? '' : `&last=${encodeURIComponent(last)}`}`)))
        return median(times)
      },
    }))
  return [
    ...page(`/v2/${large}/tags/list`, 'tags', names.length, names),
    ...page('/v2/_catalog', 'repositories', repositories.length, repositories),
  ]
}

function holdingUp({ folder, big, huge, blobs, run }: Scene): Row[] {
  return [
    {
      what: 'memory during 8 pushes of 512 MiB and their inventory',
      unit: 'MiB',
      once: true,
      async measure(peer) {
        const heads: Awaited<ReturnType<typeof withHead>>[] = []
        for (let at = 0; at < 8; at++) heads.push(await withHead(big))
        return mostPss(peer.server.child.pid ?? 0, async () => {
          await Promise.all(heads.map(({ head, whole }) => upload(peer, `bench/eight-${run}`, whole, head)))
          await settled(peer)
        })
      },
    },
    {
      what: `${crowdSize} uploads of 1 MiB begun at once`,
      unit: 's',
      async measure(peer, round) {
        const { done, refused, seconds, slowestTokenMs } = await crowd(peer, `bench/crowd-${run}-${round}`, crowdSize)
        note(
          `${crowdSize} uploads at once, ${peer.name}: ${done} done, ${refused.length} refused${refused.length === 0 ? '' : ` (${refused[0]})`}${
            slowestTokenMs === undefined ? '' : `, slowest token request ${slowestTokenMs.toFixed(0)} ms`
          }`,
        )
        return seconds
      },
    },
    {
      what: `p99 of ${steadyRate} manifest GETs a second while 1.5 GiB are inventoried`,
      unit: 'ms',
      ours: true,
      async measure(peer, round) {
        await taggedManifest(peer)
        const headers = { accept: manifestType, authorization: `Bearer ${await token(peer, `repository:${tagged}:pull`)}` }
        const steady = { origin: peer.origin, path: `/v2/${tagged}/manifests/latest`, headers, perSecond: steadyRate }
        const idle = await steadily(steady, new Promise((resolve) => setTimeout(resolve, steadyMs)))
        await renew(huge)
        await upload(peer, `bench/huge-${run}-${round}`, huge)
        const busy = await steadily(steady, settled(peer))
        const [before, during] = [quantile(idle, 0.99), quantile(busy, 0.99)]
        note(
          `${steadyRate} GETs a second: p99 ${before.toFixed(1)} ms idle (${idle.length} asked), ${during.toFixed(1)} ms meanwhile (${busy.length} asked)`,
        )
        return during
      },
    },
    {
      what: `collection over ${blobs.toLocaleString('en')} blobs, a tenth of them dead, 8 clients beside it: p99 of their pushes`,
      unit: 'ms',
      once: true,
      ours: true,
      async measure() {
        const seen = await collectWhileServing(join(folder, 'collectable'), blobs)
        note(
          `collection: ended in ${seen.seconds.toFixed(1)} s, ${seen.freed.blobs} of ${seen.dead} dead blobs freed with ${seen.freed.objects} files, none in use removed; pushes p99 ${p99(seen.pushesIdle).toFixed(1)} ms idle (${seen.pushesIdle.length}), ${p99(seen.pushesMeanwhile).toFixed(1)} ms meanwhile (${seen.pushesMeanwhile.length})`,
        )
        return p99(seen.pushesMeanwhile)
      },
    },
  ]
}
